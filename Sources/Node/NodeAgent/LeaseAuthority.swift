// SPDX-License-Identifier: Apache-2.0

package import Leases
package import Logging
import ServiceLifecycle
import Synchronization

/// Leases subnets to nodes that do not reach etcd themselves, and keeps, gives back and reserves them on their behalf.
///
/// It remembers nothing that another authority over the same etcd would have to know: each request is decided by one
/// transaction. What it does keep makes it quicker, or cleans up behind it.
package struct LeaseAuthority: Service {
    private let store: any LeaseAuthorityStore
    private let status: NodeStatus
    private let renewals: RenewalBatch
    private let hand = Hand()
    private let doubtful: Doubtful
    private let logger: Logger

    package init(store: any LeaseAuthorityStore, status: NodeStatus, logger: Logger) {
        self.store = store
        self.status = status
        self.logger = logger
        renewals = RenewalBatch(store: store, clock: status.clock)
        doubtful = Doubtful()
    }

    /// Ends the grants that requests left behind, for as long as the daemon runs.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await grant in doubtful.grants.cancelOnGracefulShutdown() { group.addTask { await revoke(grant) } }
            group.cancelAll()
        }
    }

    /// A lease with the time until which it surely lives, `nil` for a reservation.
    package typealias Held = (lease: Lease, until: MonotonicTime?)

    /// Leases a subnet, and answers a request that is repeated with the same token as it did before.
    ///
    /// - Parameter isRepeatable: the one who asks can name the same token again. Then what may have been leased when
    ///   etcd's answer was lost is left for the repetition to find; else nobody could ever use it, and it is ended.
    package func lease(
        _ wish: LeaseApplication.Wish, token: TokenDigest, isRepeatable: Bool
    ) async throws -> Held {
        do {
            return try await apply(wish, token: token, isRepeatable: isRepeatable)
        } catch let refusal as LeaseRefusal {
            guard let holder = refusal.holder, try await isOver(holder) else { throw refusal }
            return try await apply(wish, token: token, isRepeatable: isRepeatable)
        }
    }

    /// Whether a lease that is in the way is gone already, which the feed has not told yet; waits a moment until it has,
    /// so that who releases and asks again at once is not refused for what it released.
    private func isOver(_ lease: Lease) async throws -> Bool {
        guard try await store.proofs(of: [lease.key])[lease.key]?.lease != lease else { return false }
        let deadline = status.clock.now + .seconds(2)
        while status.read({ $0.leases[lease.key] == lease }) {
            guard status.clock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    private func apply(
        _ wish: LeaseApplication.Wish, token: TokenDigest, isRepeatable: Bool
    ) async throws -> Held {
        var application = LeaseApplication(wish)
        defer {
            for grant in application.unused { doubtful.add(grant) }
            hand.drop(wish.node)
        }
        var until: MonotonicTime?
        let inHand = hand.keys
        var step = status.read { snapshot in
            application.start(in: snapshot.leases, config: snapshot.config ?? .missing, inHand: inHand)
        }
        while true {
            switch step {
            case .leased(let lease):
                logger.info(
                    "subnet leased for another node",
                    metadata: [
                        "subnet": "\(lease.key)", "node": "\(wish.node)", "revision": "\(lease.modRevision)",
                    ])
                guard let grant = lease.grantID, let until else { return (lease, nil) }
                guard status.clock.now < until else {
                    // The answer took so long that the lease may be over already.
                    doubtful.add(grant)
                    throw LeaseRefusal.contended
                }
                return (lease, until)
            case .refused(let refusal): return try await repeated(refusal, wish, token)
            case .grant(let ttl):
                let sentAt = status.clock.now
                let grant = try await store.grant(ttl: ttl)
                until = sentAt + (grant.ttl - grant.ttl / 1000)
                step = application.granted(grant)
            case .issue(let claim):
                hand.take(claim.key, for: wish.node)
                let outcome: IssueOutcome
                do {
                    outcome = try await store.issue(claim, token: token)
                } catch {
                    if !error.mayHaveApplied || !isRepeatable { application.abandon() }
                    throw error
                }
                step = status.read { application.answered(outcome, in: $0.leases) }
            }
        }
    }

    /// The node has the lease already: it is told again if it proves that it asked for it.
    private func repeated(
        _ refusal: LeaseRefusal, _ wish: LeaseApplication.Wish, _ token: TokenDigest
    ) async throws -> Held {
        guard case .hasLease(let lease) = refusal, wish.subnet.map({ $0 == lease.subnet }) ?? true else {
            throw refusal
        }
        // Renewed, so that it is known until when it lives.
        guard case .renewed(let lease, let until) = try await renewals.renew(lease.key, token: token) else {
            throw refusal
        }
        return (lease, until)
    }

    package func renew(_ key: SubnetKey, token: TokenDigest) async throws(LeaseStoreError) -> RenewalBatch.Outcome {
        try await renewals.renew(key, token: token)
    }

    /// What the key holds now, by the store and not by the feed; `nil` where nobody has it.
    package func present(_ key: SubnetKey) async throws(LeaseStoreError) -> LeaseProof? {
        try await store.proofs(of: [key])[key]
    }

    /// Gives a lease or a reservation back, if it still is as it was read.
    package func withdraw(_ proof: LeaseProof) async throws(LeaseStoreError) -> WithdrawalOutcome {
        let lease = proof.lease
        let outcome = try await store.withdraw(lease)
        guard case .withdrawn = outcome else { return outcome }
        logger.info(
            "lease given back",
            metadata: ["subnet": "\(lease.key)", "node": "\(lease.announcement.node?.name ?? "unknown")"])
        // Nothing else hangs on a grant that an authority made; another's may carry more than this lease.
        if proof.token != nil, let grant = lease.grantID { doubtful.add(grant) }
        return outcome
    }

    package enum ReservationOutcome: Sendable {
        case created(Lease)
        case changed(Lease)
        case unchanged(Lease)
    }

    /// - Parameters:
    ///   - present: as ``present(_:)`` said.
    ///   - isNamed: the request names the revision of what is there.
    package func reserve(
        _ request: ReservationRequest, _ key: SubnetKey, present: Lease?, isNamed: Bool
    ) async throws -> ReservationOutcome {
        let decision = status.read { snapshot in
            request.decide(
                key, present: present, isNamed: isNamed, in: snapshot.leases, config: snapshot.config ?? .missing)
        }
        switch decision {
        case .refused(let refusal): throw refusal
        case .isThere(let lease): return .unchanged(lease)
        case .write(let claim):
            switch try await store.issue(claim, token: nil) {
            case .issued(let lease, let meanwhile, _):
                if present == nil, let refusal = request.contradiction(of: lease, among: meanwhile) {
                    _ = try await store.withdraw(lease)
                    throw refusal
                }
                logger.info("subnet reserved", metadata: ["subnet": "\(lease.key)", "node": "\(request.node)"])
                return present == nil ? .created(lease) : .changed(lease)
            case .refused(.conflict(let records, _)):
                for case .lease(let lease) in records where lease.key == key {
                    throw LeaseRefusal.subnetTaken(key, by: lease)
                }
                throw LeaseRefusal.subnetTaken(key, by: nil)
            case .refused: throw LeaseRefusal.contended
            }
        }
    }

    private func revoke(_ grant: GrantID) async {
        var backoff = Backoff(limit: .seconds(10))
        var random = SplitMix64(seed: UInt64.random(in: 0 ... .max))
        while !Task.isCancelled {
            do {
                return try await store.revoke(grant)
            } catch {
                logger.debug(
                    "a grant is of no use and can't be ended yet", metadata: ["grant": "\(grant)", "error": "\(error)"])
            }
            try? await Task.sleep(for: backoff.next(using: &random))
        }
    }

    /// Subnets that are being asked for here, so that two requests at this authority do not run into each other.
    private final class Hand: Sendable {
        private let content = Mutex<[NodeID: SubnetKey]>([:])

        var keys: [SubnetKey] { content.withLock { Array($0.values) } }
        func take(_ key: SubnetKey, for node: NodeID) { content.withLock { $0[node] = key } }
        func drop(_ node: NodeID) { content.withLock { $0[node] = nil } }
    }

    /// Grants that nobody will use.
    private final class Doubtful: Sendable {
        let grants: AsyncStream<GrantID>
        private let continuation: AsyncStream<GrantID>.Continuation

        init() { (grants, continuation) = AsyncStream.makeStream() }

        func add(_ grant: GrantID) { continuation.yield(grant) }
    }
}
