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
        known: Revision = .zero
    ) throws -> LeaseClaim {
        LeaseClaim(
            key: try SubnetKey(parsing: "10.244.\(subnet).0-24"),
            announcement: LeaseFixtures.announcement(node: node ?? subnet), grant: grant, condition: condition,
            known: known)
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
