// SPDX-License-Identifier: Apache-2.0

package import Leases

/// The newest changes of the set of leases, for those who follow it and for those who come back after a while.
///
/// Invariant: the set as of ``start`` and the kept changes give the set as of ``end``. A follower that knows the set
/// as of a revision before ``start``, or whose ``generation`` is over, must take the whole set anew.
package struct LeaseJournal: Sendable {
    /// What happened at one revision, or, after a snapshot, up to it.
    package struct Entry: Sendable {
        package let revision: Revision
        /// Never empty.
        package let changes: [LeaseChange]
    }

    /// A place in the history, also over histories: a later one is greater.
    package struct Mark: Hashable, Comparable, Sendable {
        package let generation: Int
        package let revision: Revision

        package static func < (left: Self, right: Self) -> Bool {
            (left.generation, left.revision) < (right.generation, right.revision)
        }
    }

    package var mark: Mark { Mark(generation: generation, revision: end) }

    /// How many changes are kept at least, once there were that many; at most twice as many are.
    private let capacity: Int
    private var entries: [Entry] = []
    private var count = 0
    package private(set) var start = Revision.zero
    package private(set) var end = Revision.zero
    /// Another number: what was kept does not lead to what is now.
    package private(set) var generation = 0
    /// What the parts of a snapshot that is not whole yet have changed.
    private var collected: [LeaseChange]?

    package init(capacity: Int = 2048) { self.capacity = capacity }

    /// Whether the set is between two snapshots: part of the one, part of the other.
    package var isCollecting: Bool { collected != nil }

    /// Takes in what an event changed. The parts of a snapshot are one entry, made with the last of them.
    package mutating func record(_ changes: [LeaseChange], at revision: Revision, isWhole: Bool = true) {
        guard isWhole else {
            // What the first snapshot of all brings nobody has to be told as changes.
            collected = (collected ?? []) + (end == .zero ? [] : changes)
            return
        }
        let changes = (collected ?? []) + changes
        collected = nil
        guard end != .zero, revision > end, changes.count <= capacity else {
            // The first, one that runs backwards (etcd was restored), or more than is worth keeping.
            if revision != end || !changes.isEmpty { restart(at: revision) }
            return
        }
        end = revision
        guard !changes.isEmpty else { return }
        entries.append(Entry(revision: revision, changes: changes))
        count += changes.count
        if count > 2 * capacity { trim() }
    }

    private mutating func restart(at revision: Revision) {
        entries = []
        count = 0
        (start, end) = (revision, revision)
        generation += 1
    }

    private mutating func trim() {
        var kept = 0
        let first = entries.lastIndex { entry in
            kept += entry.changes.count
            return kept >= capacity
        }
        guard let first, first > 0 else { return }
        start = entries[first - 1].revision
        entries.removeFirst(first)
        count = kept
    }

    /// What came after a revision, in order; `nil` where that is no longer known, or was not yet.
    package func entries(after revision: Revision) -> ArraySlice<Entry>? {
        guard start <= revision, revision <= end, end != .zero else { return nil }
        let first = entries.partitioningIndex { $0.revision > revision }
        return entries[first...]
    }
}

extension Array {
    /// The first place from which on the predicate holds; it must not hold before one where it does not.
    fileprivate func partitioningIndex(_ isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
