// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
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

    /// How long what is left to be ended may take once the daemon was told to stop.
    private static let farewell = Duration.milliseconds(500)

    /// Ends the grants that requests left behind, for as long as the daemon runs and a moment longer: nobody else would
    /// before their time is up.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await grant in doubtful.grants.cancelOnGracefulShutdown() { group.addTask { await revoke(grant) } }
            let deadline = status.clock.now + Self.farewell
            var tried: Set<GrantID> = []
            while !Task.isCancelled, status.clock.now < deadline {
                let left = doubtful.left
                guard !left.isEmpty else { break }
                // Those that wait for their next try have it now.
                for grant in left where tried.insert(grant).inserted { group.addTask { await revoke(grant) } }
                try? await Task.sleep(for: .milliseconds(5))
            }
            group.cancelAll()
        }
        if !doubtful.left.isEmpty {
            logger.notice(
                "grants that nobody uses could not be ended before the stop; they end with their time",
                metadata: ["count": "\(doubtful.left.count)"])
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
        do {
            let held = try await decide(&application, token: token, isRepeatable: isRepeatable)
            await end(application.unused)
            return held
        } catch let error as LeaseStoreError {
            // The store does not answer: nobody waits for it a second time.
            for grant in application.unused { doubtful.add(grant) }
            throw error
        } catch {
            await end(application.unused)
            throw error
        }
    }

    /// Before anybody is answered: a lease that contradicts another's must not outlive this request.
    private func end(_ grants: [GrantID]) async {
        for grant in grants {
            do {
                try await store.revoke(grant)
            } catch {
                doubtful.add(grant)
            }
        }
    }

    private func decide(
        _ application: inout LeaseApplication, token: TokenDigest, isRepeatable: Bool
    ) async throws -> Held {
        let wish = application.wish
        let request = hand.begin(wish.node)
        defer { hand.end(request) }
        var until: MonotonicTime?
        let inHand = hand.others(than: wish.node)
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
                    await end([grant])
                    throw LeaseRefusal.contended
                }
                return (lease, until)
            case .refused(let refusal):
                if case .identityTaken = refusal { status.metrics.count(.identity) }
                return try await repeated(refusal, wish, token)
            case .prove(let lease):
                step = application.proven(try await store.proofs(of: [lease.key])[lease.key], by: token)
            case .grant(let ttl):
                let sentAt = status.clock.now
                let grant = try await store.grant(ttl: ttl)
                until = sentAt + (grant.ttl - grant.ttl / 1000)
                step = application.granted(grant)
            case .issue(let claim):
                hand.take(claim.key, for: request)
                let outcome: IssueOutcome
                do {
                    outcome = try await store.issue(claim, token: token)
                } catch {
                    if !error.mayHaveApplied || !isRepeatable { application.abandon() }
                    throw error
                }
                if case .refused(.conflict) = outcome { status.metrics.count(.claim) }
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
        do {
            let outcome = try await renewals.renew(key, token: token)
            switch outcome {
            case .renewed: status.metrics.count(.renewed)
            case .gone: status.metrics.count(.gone)
            // Nothing was asked of etcd for those.
            case .wrongToken, .notIssued: break
            }
            return outcome
        } catch {
            if error.remedy != .cancelled { status.metrics.count(.failed) }
            throw error
        }
    }

    /// What the key holds now, by the store and not by the feed; `nil` where nobody has it.
    package func present(_ key: SubnetKey) async throws(LeaseStoreError) -> LeaseProof? {
        try await store.proofs(of: [key])[key]
    }

    /// The lease of an IPv4 subnet with whatever IPv6 subnet, by the store and not by the feed.
    package func lease(of subnet: IPv4Prefix) async throws(LeaseStoreError) -> Lease? {
        try await store.lease(of: subnet)
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
                try await store.revoke(grant)
                return doubtful.remove(grant)
            } catch {
                logger.debug(
                    "a grant is of no use and can't be ended yet", metadata: ["grant": "\(grant)", "error": "\(error)"])
            }
            try? await Task.sleep(for: backoff.next(using: &random))
        }
    }

    /// Subnets that are being asked for here, so that two requests at this authority do not run into each other.
    private final class Hand: Sendable {
        private struct Content {
            var last = 0
            var requests: [Int: (node: NodeID, key: SubnetKey?)] = [:]
        }

        private let content = Mutex(Content())

        /// The requests of one node do not keep each other from the subnet that is its own.
        func others(than node: NodeID) -> [SubnetKey] {
            content.withLock { $0.requests.values.filter { $0.node != node }.compactMap(\.key) }
        }

        func begin(_ node: NodeID) -> Int {
            content.withLock { content in
                content.last += 1
                content.requests[content.last] = (node, nil)
                return content.last
            }
        }

        func take(_ key: SubnetKey, for request: Int) { content.withLock { $0.requests[request]?.key = key } }
        func end(_ request: Int) { content.withLock { $0.requests[request] = nil } }
    }

    /// Grants that nobody will use.
    private final class Doubtful: Sendable {
        let grants: AsyncStream<GrantID>
        private let continuation: AsyncStream<GrantID>.Continuation
        private let content = Mutex<Set<GrantID>>([])

        init() { (grants, continuation) = AsyncStream.makeStream() }

        var left: Set<GrantID> { content.withLock { $0 } }

        func add(_ grant: GrantID) {
            _ = content.withLock { $0.insert(grant) }
            continuation.yield(grant)
        }

        func remove(_ grant: GrantID) { _ = content.withLock { $0.remove(grant) } }
    }
}
