// SPDX-License-Identifier: Apache-2.0

/// The set of leases as of one revision.
///
/// Invariant: applying a snapshot and then changes gives the same set as a snapshot taken after those changes, in
/// whatever parts the snapshot came. A lease is removed by its own delete event or by a complete snapshot without it,
/// never by half of one.
///
/// A listing is held against what is known: in one history of etcd a key says the same for as long as it has the same
/// revision, and nothing that was written up to the known revision can turn up later. Where the listing says
/// otherwise etcd was restored from a snapshot, whatever its revision has come to since.
package struct LeaseTable: Sendable {
    private struct Entry {
        var lease: Lease
        /// The snapshot that last confirmed the entry.
        var generation: UInt32
    }

    private var entries: [SubnetKey: Entry] = [:]
    /// By the last element of their keys; few.
    package private(set) var unreadable: [String: UnreadableLease] = [:]
    private var unreadableGeneration: [String: UInt32] = [:]
    private var generation: UInt32 = 0
    /// A part of the listing under way belongs to another history than what was known before.
    private var isContradicted = false
    /// The newest revision that the set holds everything of; zero before the first complete snapshot.
    package private(set) var revision: Revision = .zero
    /// Counts the histories of etcd that the set has gone through: revisions of one can't be compared with those of
    /// another. Changes, as the revision does, with the last part of a snapshot.
    package private(set) var history = 0
    /// Whether a first complete snapshot has been seen.
    package private(set) var isComplete = false

    package init() {}

    package var count: Int { entries.count }

    package subscript(key: SubnetKey) -> Lease? { entries[key]?.lease }

    /// Every lease, in no order.
    package var leases: some Sequence<Lease> { entries.values.lazy.map(\.lease) }

    /// Every subnet that must not be given away, those of unreadable leases included.
    package var takenKeys: [SubnetKey] { entries.keys + unreadable.values.compactMap(\.key) }

    /// Takes in a part of a snapshot; what earlier snapshots held and this one lacks goes with its last part.
    package mutating func apply(_ part: SnapshotPart) -> [LeaseChange] {
        if part.isFirst { generation &+= 1 }
        var changes: [LeaseChange] = []
        changes.reserveCapacity(part.records.count)
        if part.isFirst { entries.reserveCapacity(part.records.count) }
        // Before the first one there is nothing to compare with.
        let isCompared = isComplete && !part.startsHistory && part.revision >= revision
        for record in part.records {
            if isCompared, !isContradicted { isContradicted = contradicts(record) }
            apply(record, into: &changes)
        }
        guard part.isLast else { return changes }
        for (key, entry) in entries where entry.generation != generation {
            entries[key] = nil
            changes.append(.removed(entry.lease))
        }
        for (name, seen) in unreadableGeneration where seen != generation { forgetUnreadable(name) }
        revision = part.revision
        if part.startsHistory || isContradicted { history += 1 }
        isContradicted = false
        isComplete = true
        return changes
    }

    /// Takes in what happened at one revision.
    package mutating func apply(_ records: [LeaseRecord], at revision: Revision) -> [LeaseChange] {
        var changes: [LeaseChange] = []
        for record in records { apply(record, into: &changes) }
        self.revision = max(self.revision, revision)
        return changes
    }

    /// Whether what a listing says of a key can't be of the history that the set is of.
    private func contradicts(_ record: LeaseRecord) -> Bool {
        switch record {
        case .lease(let lease):
            guard let known = entries[lease.key]?.lease else {
                return contradicts(lease.modRevision, since: unreadable[lease.key.description]?.modRevision)
            }
            if lease.modRevision == known.modRevision { return lease != known }
            if lease.createRevision < known.createRevision { return true }
            if lease.createRevision > known.createRevision, lease.createRevision <= revision { return true }
            return contradicts(lease.modRevision, since: known.modRevision)
        case .unreadable(let bad):
            let known = bad.key.flatMap { entries[$0]?.lease.modRevision }
            return contradicts(bad.modRevision, since: unreadable[bad.name]?.modRevision ?? known)
        case .gone: return false
        }
    }

    /// Whether a key can't have been written at that revision, given that of its last known write, where it had one:
    /// everything up to the set's own revision is known.
    private func contradicts(_ written: Revision, since known: Revision?) -> Bool {
        guard let known else { return written <= revision }
        return written < known || written > known && written <= revision
    }

    private mutating func apply(_ record: LeaseRecord, into changes: inout [LeaseChange]) {
        switch record {
        case .lease(let lease):
            if !unreadable.isEmpty { forgetUnreadable(lease.key.description) }
            let entry = Entry(lease: lease, generation: generation)
            guard let previous = entries.updateValue(entry, forKey: lease.key)?.lease else {
                changes.append(.added(lease))
                return
            }
            if previous != lease { changes.append(.updated(lease, previous: previous)) }
        case .unreadable(let bad):
            unreadable[bad.name] = bad
            unreadableGeneration[bad.name] = generation
            // What the key held before is no longer true.
            if let key = bad.key, let previous = entries.removeValue(forKey: key) {
                changes.append(.removed(previous.lease))
            }
        case .gone(let name, _):
            forgetUnreadable(name)
            if let key = try? SubnetKey(parsing: name), let previous = entries.removeValue(forKey: key) {
                changes.append(.removed(previous.lease))
            }
        }
    }

    private mutating func forgetUnreadable(_ name: String) {
        unreadable[name] = nil
        unreadableGeneration[name] = nil
    }
}
