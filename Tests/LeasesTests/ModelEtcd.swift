// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit

/// What etcd is to the lease holders: revisions, keys, grants with a clock, and the whole history.
struct ModelEtcd {
    private(set) var revision: Int64 = 1
    private(set) var keys: [SubnetKey: Lease] = [:]
    /// The record of revision `index + 2`.
    private(set) var history: [LeaseRecord] = []
    private(set) var grants: [GrantID: (ttl: Duration, ends: MonotonicTime)] = [:]
    private var grantCount: Int64 = 0

    /// The leases as of an earlier revision.
    func leases(at past: Int64) -> [Lease] {
        guard past < revision else { return Array(keys.values) }
        var table = LeaseTable()
        for record in history.prefix(Int(past) - 1) { _ = table.apply([record], at: Revision(past)) }
        return Array(table.leases)
    }

    func lease(_ key: SubnetKey, writtenAt revision: Revision) -> Lease? {
        guard revision.value >= 2, revision.value <= self.revision,
            case .lease(let lease) = history[Int(revision.value) - 2], lease.key == key
        else { return nil }
        return lease
    }

    mutating func grant(ttl: Duration, at now: MonotonicTime) -> Grant {
        grantCount += 1
        let id = GrantID(grantCount)
        grants[id] = (ttl, now + ttl)
        return Grant(id: id, ttl: ttl)
    }

    mutating func renew(_ id: GrantID, at now: MonotonicTime) -> Duration? {
        guard let ttl = grants[id]?.ttl else { return nil }
        grants[id] = (ttl, now + ttl)
        return ttl
    }

    mutating func commit(_ claim: LeaseClaim) -> ClaimOutcome {
        if let grant = claim.grant, grants[grant] == nil { return .grantGone }
        let present = keys[claim.key]
        switch claim.condition {
        case .absent where present == nil: break
        case .unchanged(let revision) where present?.modRevision == revision: break
        default:
            let news = keys.values.filter { $0.modRevision > claim.known || $0.key == claim.key }
            return .conflict(news.map(LeaseRecord.lease), at: Revision(revision))
        }
        return .claimed(put(claim.key, claim.announcement, claim.grant))
    }

    @discardableResult
    mutating func put(_ key: SubnetKey, _ announcement: LeaseAnnouncement, _ grant: GrantID?) -> Lease {
        revision += 1
        let lease = Lease(
            key: key, announcement: announcement, kind: grant.map(Lease.Kind.lease) ?? .reservation,
            createRevision: keys[key]?.createRevision ?? Revision(revision), modRevision: Revision(revision))
        keys[key] = lease
        history.append(.lease(lease))
        return lease
    }

    mutating func delete(_ key: SubnetKey) {
        guard keys.removeValue(forKey: key) != nil else { return }
        revision += 1
        history.append(.gone(name: key.description, at: Revision(revision)))
    }

    mutating func release(_ key: SubnetKey, at revision: Revision) {
        if keys[key]?.modRevision == revision { delete(key) }
    }

    mutating func revoke(_ id: GrantID) {
        grants[id] = nil
        for (key, lease) in keys where lease.grantID == id { delete(key) }
    }

    /// Ends the grants whose time is over.
    mutating func expire(at now: MonotonicTime) {
        for id in grants.filter({ $0.value.ends <= now }).keys.sorted(by: { $0.value < $1.value }) { revoke(id) }
    }
}
