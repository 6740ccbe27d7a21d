// SPDX-License-Identifier: Apache-2.0

package import Leases

/// What a ``LeaseStore`` does that breaks its promise, as one sentence.
package struct ConformanceFault: Error, CustomStringConvertible {
    package let description: String
}

/// The port's promises, to be kept by every store: the one in memory that tests use, and the one over etcd.
///
/// The store is given with a valid config and no lease in it. Checks run one after another on the same store, each on
/// subnets of its own; nobody else may write to it meanwhile.
package struct LeaseStoreConformance<Store: LeaseStore>: Sendable {
    let store: Store
    /// Ends a grant as its running out would.
    private let expire: @Sendable (GrantID) async throws -> Void

    package init(_ store: Store, expire: @escaping @Sendable (GrantID) async throws -> Void) {
        self.store = store
        self.expire = expire
    }

    /// Runs every check; throws the first ``ConformanceFault``.
    package func run() async throws {
        let follower = FeedFollower(store.feed())
        try await follower.wait("a feed begins with a complete snapshot and the config") { feed in
            guard feed.table.isComplete, case .valid? = feed.config else { return false }
            return feed.table.count == 0
        }
        try await checkGrants()
        try await checkCreation(follower)
        try await checkConflicts()
        try await checkChanges(follower)
        try await checkReservations(follower)
        try await checkReleases(follower)
        try await checkGrantsAreCompared()
        try await checkReuse()
        try await checkExpiry(follower)
        try await checkRenewalIsSilent(follower)
        let late = FeedFollower(store.feed())
        let wanted = Set(follower.state.table.leases)
        try await late.wait("a feed that begins later gives the same leases") { Set($0.table.leases) == wanted }
    }

    private func checkGrants() async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        try require(grant.ttl >= .seconds(60), "a grant lives at least as long as was asked for")
        try require(try await store.renew(grant.id) == grant.ttl, "a renewal gives the full life again")
        let left = try await store.remainingTime(of: grant.id)
        try require(left.map { $0 > .zero && $0 <= grant.ttl } == true, "what is left is within the grant's life")
        try await store.revoke(grant.id)
        try require(try await store.renew(grant.id) == nil, "a grant that is gone can't be renewed")
        try require(try await store.remainingTime(of: grant.id) == nil, "nothing is left of a grant that is gone")
        try await store.revoke(grant.id)
    }

    private func checkCreation(_ follower: FeedFollower) async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let claim = try claim(1, grant: grant.id)
        let lease = try await claimed(claim)
        try require(
            lease.key == claim.key && lease.announcement == claim.announcement && lease.kind == .lease(grant.id),
            "the lease is what was claimed")
        try require(lease.createRevision == lease.modRevision, "a new lease was made when it was written")
        try await follower.wait("the feed tells the lease as its claimant sees it") { $0.table[lease.key] == lease }

        let gone = try await store.grant(ttl: .seconds(60))
        try await store.revoke(gone.id)
        let orphan = try self.claim(2, grant: gone.id)
        guard case .grantGone = try await store.commit(orphan) else {
            throw ConformanceFault(description: "a claim over a grant that is gone says so")
        }
        _ = try await claimed(try self.claim(2, grant: grant.id))
    }

    private func checkConflicts() async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let older = try await claimed(try claim(10, grant: grant.id))
        let holder = try await claimed(try claim(11, grant: grant.id))
        let newer = try await claimed(try claim(12, grant: grant.id))
        let second = try claim(11, node: 99, grant: grant.id, known: holder.modRevision)
        guard case .conflict(let records, let revision) = try await store.commit(second) else {
            throw ConformanceFault(description: "a key that somebody has can't be made")
        }
        try require(Set(records) == [.lease(holder), .lease(newer)], "a conflict tells the holder and what is news")
        try require(!records.contains(.lease(older)), "a conflict does not tell what the claimant knew")
        try require(revision >= newer.modRevision, "a conflict is as of a revision behind its news")
    }

    private func checkChanges(_ follower: FeedFollower) async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let first = try await claimed(try claim(20, grant: grant.id))
        let change = try claim(20, node: 21, grant: grant.id, condition: .unchanged(since: first.modRevision))
        let second = try await claimed(change)
        try require(second.createRevision == first.createRevision, "a change keeps the time of making")
        try require(second.modRevision > first.modRevision, "a change has a newer revision")
        guard case .conflict(let records, _) = try await store.commit(change) else {
            throw ConformanceFault(description: "what was changed since it was read is not overwritten")
        }
        try require(records.contains(.lease(second)), "the conflict tells what is there now")
        try await follower.wait("the feed tells the change") { $0.table[second.key] == second }

        guard try await store.release(second.key, at: second.modRevision) else {
            throw ConformanceFault(description: "a lease as it was read can be released")
        }
        let late = try claim(
            20, grant: grant.id, condition: .unchanged(since: second.modRevision), known: second.modRevision)
        guard case .conflict(let left, _) = try await store.commit(late) else {
            throw ConformanceFault(description: "a key that is gone is not unchanged")
        }
        try require(left.isEmpty, "no record of the key in a conflict means that it is gone")
    }

    private func checkReservations(_ follower: FeedFollower) async throws {
        let lease = try await claimed(try claim(30, grant: nil))
        try require(lease.kind == .reservation && lease.grantID == nil, "a lease without a grant is a reservation")
        try await follower.wait("the feed tells the reservation") { $0.table[lease.key] == lease }
    }

    private func checkReleases(_ follower: FeedFollower) async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let lease = try await claimed(try claim(40, grant: grant.id))
        let before = Revision(lease.modRevision.value - 1)
        try require(try await !store.release(lease.key, at: before), "another revision is not released")
        try require(try await store.release(lease.key, at: lease.modRevision), "the lease is released")
        try require(try await store.release(lease.key, at: lease.modRevision), "what is gone was released")
        try await follower.wait("the feed tells that it is gone") { $0.table[lease.key] == nil }
        _ = try await claimed(try claim(40, grant: grant.id))
    }

    /// After a restore a revision may be another lease's: what hangs on another grant is another lease.
    private func checkGrantsAreCompared() async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let lease = try await claimed(try claim(45, grant: grant.id))
        for kind in [.reservation, .lease(GrantID(grant.id.value ^ 1))] as [Lease.Kind] {
            let other = Lease(
                key: lease.key, announcement: lease.announcement, kind: kind, createRevision: lease.createRevision,
                modRevision: lease.modRevision)
            try require(try await !store.release(other), "a lease under another grant is not released")
            let change = try claim(45, grant: grant.id, condition: other.unchanged)
            guard case .conflict = try await store.commit(change) else {
                throw ConformanceFault(description: "a lease under another grant is not changed")
            }
        }
        let changed = try await claimed(try claim(45, grant: grant.id, condition: lease.unchanged))
        try require(try await !store.release(lease), "a lease of before is not released")
        try require(try await store.release(changed), "a lease as it was read is released")
        try require(try await store.release(changed), "what is gone was released")
        let reservation = try await claimed(try claim(46, grant: nil))
        let rewritten = try await claimed(try claim(46, grant: nil, condition: reservation.unchanged))
        try require(rewritten.kind == .reservation, "a reservation that is changed stays one")
        try require(try await store.release(rewritten), "a reservation as it was read is released")
    }

    private func checkReuse() async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        var leases: [Lease] = []
        for subnet in 70...72 {
            leases.append(try await claimed(try claim(subnet, grant: grant.id, reuse: .never)))
        }
        let taken = try claim(70, node: 99, grant: grant.id, known: leases[0].modRevision, reuse: .never)
        guard case .conflict(let news, _) = try await store.commit(taken) else {
            throw ConformanceFault(description: "a subnet that somebody has is a conflict, not one that was used")
        }
        try require(Set(news) == Set(leases.map(LeaseRecord.lease)), "it tells the holder and what is news")
        for lease in leases { _ = try await store.release(lease) }
        // Out of their order.
        for lease in [leases[1], leases[0]] { try await store.noteFreed(lease) }
        let cautious = try claim(71, node: 99, grant: grant.id, reuse: .never)
        guard case .usedBefore(let past, _, _) = try await store.commit(cautious) else {
            throw ConformanceFault(description: "a claim of what was never used is refused where it was")
        }
        let order = past.holders.filter { holder in leases.contains { $0.key == holder.key } }
        try require(
            order.map(\.key) == [2, 1, 0].map { leases[$0].key }, "what was freed longest ago is told first")
        try require(
            order.map(\.node) == [72, 71, 70].map { NodeID("n\($0)") }, "who had a subnet is told with it")
        try require(past.count >= 3, "it is told how many subnets were used")
        let again = try await claimed(try claim(71, node: 99, grant: grant.id))
        try await store.noteFreed(leases[1])
        _ = try await store.release(again)
        guard case .usedBefore(let later, _, _) = try await store.commit(cautious) else {
            throw ConformanceFault(description: "a used subnet stays a used one")
        }
        try require(
            later.holders.first { $0.key == again.key }?.node == NodeID("n99"),
            "the last holder is told, and a subnet that somebody has is not noted as free")
    }

    private func checkExpiry(_ follower: FeedFollower) async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let leases = [
            try await claimed(try claim(50, grant: grant.id)), try await claimed(try claim(51, grant: grant.id)),
        ]
        try await follower.wait("the feed tells both") { feed in leases.allSatisfy { feed.table[$0.key] == $0 } }
        try await expire(grant.id)
        try await follower.wait("what hung on a grant goes with it") { feed in
            leases.allSatisfy { feed.table[$0.key] == nil }
        }
        try require(try await store.renew(grant.id) == nil, "an expired grant can't be renewed")
    }

    private func checkRenewalIsSilent(_ follower: FeedFollower) async throws {
        let grant = try await store.grant(ttl: .seconds(60))
        let lease = try await claimed(try claim(60, grant: grant.id))
        try await follower.wait("the feed tells the lease") { $0.table[lease.key] == lease }
        let before = follower.state.changeCount
        for _ in 0..<5 { _ = try await store.renew(grant.id) }
        let last = try await claimed(try claim(61, grant: grant.id))
        try await follower.wait("the feed tells the next lease") { $0.table[last.key] == last }
        try require(follower.state.changeCount == before + 1, "a renewal is no event to anybody")
        try require(
            last.modRevision.value == lease.modRevision.value + 1, "a renewal writes nothing: the revision stays")
    }

    private func claim(
        _ subnet: Int, node: Int? = nil, grant: GrantID?, condition: LeaseClaim.Condition = .absent,
        known: Revision = .zero, reuse: LeaseClaim.Reuse = .allowed
    ) throws -> LeaseClaim {
        LeaseClaim(
            key: try SubnetKey(parsing: "10.244.\(subnet).0-24"),
            announcement: LeaseFixtures.announcement(node: node ?? subnet), grant: grant, condition: condition,
            known: known, reuse: reuse)
    }

    private func claimed(_ claim: LeaseClaim) async throws -> Lease {
        let outcome = try await store.commit(claim)
        guard case .claimed(let lease) = outcome else {
            throw ConformanceFault(description: "the claim of \(claim.key) should have succeeded: \(outcome)")
        }
        return lease
    }

    private func require(_ holds: Bool, _ promise: String) throws {
        if !holds { throw ConformanceFault(description: "broken promise: \(promise)") }
    }
}
