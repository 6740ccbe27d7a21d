// SPDX-License-Identifier: Apache-2.0

import Leases

/// What etcd is to lease holders: one history of revisions, keys, grants that end by etcd's own clock, compaction,
/// leaders that come and go, and a snapshot to be restored from.
struct ModelEtcd {
    /// What happened at one revision.
    enum Entry {
        case lease(LeaseRecord)
        case config(ConfigReading)
        /// A write that the feed does not follow.
        case other
    }

    private struct Life {
        let ttl: Ticks
        var ends: Ticks
    }

    private struct Saved {
        let revision: Int64
        let keys: [SubnetKey: Lease]
        let notes: [SubnetKey: Note]
        let grants: [GrantID: Life]
        let config: ConfigReading
    }

    private struct Note {
        let node: NodeID?
        let revision: Int64
    }

    private(set) var revision: Int64 = 1
    private(set) var keys: [SubnetKey: Lease] = [:]
    private(set) var config: ConfigReading
    /// The entry of revision `index + 2`.
    private(set) var log: [Entry] = []
    /// What is older can't be followed any more.
    private(set) var compacted: Int64 = 0
    /// Counts restores.
    private(set) var history = 0
    private var notes: [SubnetKey: Note] = [:]
    private var grants: [GrantID: Life] = [:]
    private var nextEnd = Ticks.max
    private var grantCount: Int64 = 0
    private var saved: Saved?
    var isDown = false
    let defect: ModelDefect?

    init(config: ConfigReading, defect: ModelDefect?) {
        self.config = config
        self.defect = defect
    }

    var hasSnapshot: Bool { saved != nil }

    /// In the order of their keys, so that a seed replays however dictionaries are hashed.
    var leases: [Lease] { keys.values.sorted { $0.key < $1.key } }

    mutating func grant(ttl: Ticks, at now: Ticks) -> Grant {
        grantCount += 1
        let id = GrantID(grantCount)
        grants[id] = Life(ttl: ttl, ends: now + ttl)
        nextEnd = min(nextEnd, now + ttl)
        return Grant(id: id, ttl: .microseconds(ttl))
    }

    mutating func renew(_ id: GrantID, at now: Ticks) -> Duration? {
        guard let ttl = grants[id]?.ttl else { return defect == .renewsGone ? .microseconds(World.ttl) : nil }
        grants[id]?.ends = now + ttl
        return .microseconds(ttl)
    }

    mutating func commit(_ claim: LeaseClaim) -> ClaimOutcome {
        if let grant = claim.grant, grants[grant] == nil { return .grantGone }
        let present = keys[claim.key]
        let holds =
            switch claim.condition {
            case .absent: present == nil || defect == .overwritesPresent
            case .unchanged(let revision, let kind):
                present?.modRevision == revision && present?.kind == kind || defect == .overwritesChanged
            }
        guard holds else { return .conflict(news(for: claim), at: Revision(revision)) }
        if claim.condition == .absent {
            if claim.reuse == .never, let note = notes[claim.key] {
                let holders = notes.sorted { ($0.value.revision, $0.key) < ($1.value.revision, $1.key) }
                    .map { SubnetPast.Holder(key: $0.key, node: $0.value.node) }
                let asked = SubnetPast(holders: [.init(key: claim.key, node: note.node)], count: 1)
                return .usedBefore(
                    SubnetPast(holders: Array(holders.prefix(5)), count: holders.count).adding(asked),
                    news(for: claim), at: Revision(revision))
            }
            notes[claim.key] = Note(node: claim.announcement.node, revision: revision + 1)
        }
        return .claimed(put(claim.key, claim.announcement, claim.grant))
    }

    private func news(for claim: LeaseClaim) -> [LeaseRecord] {
        leases.filter { $0.modRevision > claim.known || $0.key == claim.key }.map(LeaseRecord.lease)
    }

    @discardableResult
    mutating func put(_ key: SubnetKey, _ announcement: LeaseAnnouncement, _ grant: GrantID?) -> Lease {
        let next = Revision(revision + 1)
        let lease = Lease(
            key: key, announcement: announcement, kind: grant.map(Lease.Kind.lease) ?? .reservation,
            createRevision: keys[key]?.createRevision ?? next, modRevision: next)
        keys[key] = lease
        append(.lease(.lease(lease)))
        return lease
    }

    mutating func delete(_ key: SubnetKey) {
        guard keys.removeValue(forKey: key) != nil else { return }
        append(.lease(.gone(name: key.description, at: Revision(revision + 1))))
    }

    mutating func setConfig(_ reading: ConfigReading) {
        config = reading
        append(.config(reading))
    }

    mutating func release(_ lease: Lease) {
        let present = keys[lease.key]
        let isSame = present?.modRevision == lease.modRevision && present?.kind == lease.kind
        if isSame || defect == .releasesChanged { delete(lease.key) }
    }

    func attached(to id: GrantID) -> [Lease] { leases.filter { $0.grantID == id } }

    mutating func revoke(_ id: GrantID) {
        guard grants.removeValue(forKey: id) != nil else { return }
        for lease in attached(to: id) { delete(lease.key) }
    }

    mutating func noteFreed(_ lease: Lease) {
        guard keys[lease.key] == nil else { return }
        notes[lease.key] = Note(node: lease.announcement.node, revision: revision + 1)
        append(.other)
    }

    /// Ends the grants whose time is over; nothing ends without a quorum.
    mutating func expire(at now: Ticks) {
        guard !isDown, nextEnd <= now else { return }
        for id in grants.filter({ $0.value.ends <= now }).keys.sorted(by: { $0.value < $1.value }) { revoke(id) }
        nextEnd = grants.values.map(\.ends).min() ?? .max
    }

    /// A new leader does not know how long ago grants were renewed, and starts each anew.
    mutating func lead(at now: Ticks) {
        for (id, life) in grants { grants[id]?.ends = now + life.ttl }
        nextEnd = grants.values.map(\.ends).min() ?? .max
    }

    mutating func compact() { compacted = revision }

    /// Others write what the feed does not follow, up to there.
    mutating func advance(to revision: Int64) {
        while self.revision < revision { append(.other) }
    }

    mutating func save() {
        saved = Saved(revision: revision, keys: keys, notes: notes, grants: grants, config: config)
    }

    mutating func restore(at now: Ticks) {
        guard let saved else { return }
        revision = saved.revision
        (keys, notes, grants, config) = (saved.keys, saved.notes, saved.grants, saved.config)
        log.removeLast(log.count - Int(revision - 1))
        compacted = min(compacted, revision)
        history += 1
        lead(at: now)
    }

    private mutating func append(_ entry: Entry) {
        revision += 1
        log.append(entry)
    }
}

/// Microseconds of the simulation.
typealias Ticks = Int64

extension Ticks {
    static func milliseconds(_ count: Int64) -> Ticks { count * 1_000 }
    static func seconds(_ count: Int64) -> Ticks { count * 1_000_000 }
}
