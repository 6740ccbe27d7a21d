// SPDX-License-Identifier: Apache-2.0

package import Leases

/// Renewals of many holders, sent together: whoever comes while one batch is under way goes with the next.
///
/// Invariants: one batch is under way at a time, two begin at least ``pause`` apart, and each costs one request that
/// reads what the holders have to prove and one that renews all whose proof is good, however many there are. Nothing
/// is remembered between two batches: another authority may have changed anything.
package actor RenewalBatch {
    package enum Outcome: Sendable {
        /// Until when the lease surely lives: counted from when the renewal was sent, and a thousandth short, as etcd
        /// counts by a clock of its own. `nil` for a reservation, which has no end.
        case renewed(Lease, until: MonotonicTime?)
        /// Nobody has the subnet (any more).
        case gone
        /// The token is not this lease's.
        case wrongToken(Lease)
        /// No authority made the lease: there is no token that could prove its holder.
        case notIssued(Lease)
    }

    private struct Waiting {
        let key: SubnetKey
        let token: TokenDigest
        let answer: CheckedContinuation<Result<Outcome, LeaseStoreError>, Never>
    }

    private let store: any LeaseAuthorityStore
    private let clock: MonotonicClock
    private let pause: Duration
    private let limit: Int
    private var waiting: [Waiting] = []
    private var isRunning = false

    /// - Parameters:
    ///   - pause: the least time between the beginnings of two batches.
    ///   - limit: how many go with one.
    package init(
        store: any LeaseAuthorityStore, clock: MonotonicClock, pause: Duration = .milliseconds(20), limit: Int = 500
    ) {
        self.store = store
        self.clock = clock
        self.pause = pause
        self.limit = limit
    }

    package func renew(_ key: SubnetKey, token: TokenDigest) async throws(LeaseStoreError) -> Outcome {
        let result = await withCheckedContinuation { continuation in
            waiting.append(Waiting(key: key, token: token, answer: continuation))
            guard !isRunning else { return }
            isRunning = true
            // Of its own: the holder who came first must be able to go away without taking the others along.
            Task { await run() }
        }
        return try result.get()
    }

    private func run() async {
        while !waiting.isEmpty {
            let began = clock.now
            let batch = Array(waiting.prefix(limit))
            waiting.removeFirst(batch.count)
            do {
                let outcomes = try await send(batch)
                for (renewal, outcome) in zip(batch, outcomes) { renewal.answer.resume(returning: .success(outcome)) }
            } catch {
                for renewal in batch { renewal.answer.resume(returning: .failure(error)) }
            }
            let rest = pause - (clock.now - began)
            // Nobody cancels this task.
            if rest > .zero { try? await Task.sleep(for: rest) }
        }
        isRunning = false
    }

    private func send(_ batch: [Waiting]) async throws(LeaseStoreError) -> [Outcome] {
        let proofs = try await store.proofs(of: Array(Set(batch.map(\.key))))
        var grants: Set<GrantID> = []
        for renewal in batch {
            guard let proof = proofs[renewal.key], let token = proof.token, token.matches(renewal.token) else {
                continue
            }
            if let grant = proof.lease.grantID { grants.insert(grant) }
        }
        let sentAt = clock.now
        let lives = grants.isEmpty ? [:] : try await store.renew(Array(grants))
        return batch.map { renewal in
            guard let proof = proofs[renewal.key] else { return .gone }
            guard let token = proof.token else { return .notIssued(proof.lease) }
            guard token.matches(renewal.token) else { return .wrongToken(proof.lease) }
            guard let grant = proof.lease.grantID else { return .renewed(proof.lease, until: nil) }
            return lives[grant].map { .renewed(proof.lease, until: sentAt + ($0 - $0 / 1000)) } ?? .gone
        }
    }
}
