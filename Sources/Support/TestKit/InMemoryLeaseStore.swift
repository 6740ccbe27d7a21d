// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases
import Synchronization

/// A ``LeaseStore`` that keeps its leases in memory, by etcd's rules: revisions, grants, compare-and-write.
///
/// Time passes only when the test says so: grants end by ``expire(_:)``.
package final class InMemoryLeaseStore: LeaseAuthorityStore {
    package typealias Feed = AsyncThrowingFeed

    private struct Content {
        var revision: Int64 = 1
        var config: ConfigReading
        var leases: [SubnetKey: Lease] = [:]
        var grants: [GrantID: Duration] = [:]
        var nextGrant: Int64 = 1
        var failure: LeaseStoreError?
        /// So many requests that write leases are done, but their answers lost.
        var answersToLose = 0
        var requests = 0
        /// Who had which subnet, and when that was noted last.
        var notes: [SubnetKey: (node: NodeID?, revision: Int64)] = [:]
        /// The digests of tokens, each with the grant that it hangs on and the revision that wrote it.
        var tokens: [SubnetKey: (digest: TokenDigest, grant: GrantID?, revision: Int64)] = [:]
        /// What was asked for in one request, for each that renewed.
        var renewals: [Int] = []
        /// Requests that came, answered or not, and which of them are not, until their senders give up.
        var arrived = 0
        var hung = 0..<0
        /// Requests that wait for an answer.
        var waiting = 0
        var isMute = false
        /// A feed that is begun gets no snapshot.
        var areFeedsHung = false
        var feeds: [AsyncStream<LeaseEvent>.Continuation] = []
    }

    private let content: Mutex<Content>

    package init(config: ConfigReading) { content = Mutex(Content(config: config)) }

    /// Every request fails with that error until it is `nil` again.
    package func fail(with error: LeaseStoreError?) { content.withLock { $0.failure = error } }

    /// What the next requests for a lease do is done, but their answers are lost.
    package func loseAnswers(_ count: Int) { content.withLock { $0.answersToLose = count } }

    /// Requests get no answer, after some that still do; they end only by being cancelled, without effect. With
    /// `feeds` one that is begun from then on has no snapshot either.
    package func hang(after count: Int = 0, only number: Int = 1 << 30, feeds: Bool = false) {
        content.withLock {
            $0.hung = $0.arrived + count..<$0.arrived + count + number
            $0.areFeedsHung = feeds
        }
    }

    /// It answers again, also what waits.
    package func goOn() {
        content.withLock {
            $0.hung = 0..<0
            $0.areFeedsHung = false
        }
    }

    /// How many requests wait for an answer.
    package var waitingCount: Int { content.withLock { $0.waiting } }

    /// Feeds are told nothing more.
    package func mute() { content.withLock { $0.isMute = true } }

    /// Restores the leases, grants and config of an earlier revision, as etcd from a snapshot: revisions run backwards,
    /// and every feed notices.
    package func restore(_ snapshot: Snapshot) {
        content.withLock { content in
            content.revision = snapshot.revision
            content.leases = snapshot.leases
            content.grants = snapshot.grants
            Self.tell(&content, .snapshot(Self.snapshot(content, startsHistory: true)))
        }
    }

    package var snapshot: Snapshot {
        content.withLock { Snapshot(revision: $0.revision, leases: $0.leases, grants: $0.grants) }
    }

    package struct Snapshot: Sendable {
        fileprivate let revision: Int64
        fileprivate let leases: [SubnetKey: Lease]
        fileprivate let grants: [GrantID: Duration]
    }

    package var revision: Revision { content.withLock { Revision($0.revision) } }

    /// How many grants each request renewed that could have renewed many.
    package var renewals: [Int] { content.withLock { $0.renewals } }

    package var grantCount: Int { content.withLock { $0.grants.count } }

    /// Tells every feed's reader something that is not about a lease: an interruption, say.
    package func tell(_ event: LeaseEvent) { content.withLock { Self.tell(&$0, event) } }

    package var requestCount: Int { content.withLock { $0.requests } }

    package var leases: [Lease] { content.withLock { Array($0.leases.values) } }

    package func setConfig(_ config: ConfigReading) {
        content.withLock { content in
            content.revision += 1
            content.config = config
            Self.tell(&content, .changes([], config: config, at: Revision(content.revision)))
        }
    }

    /// Puts a lease as another node would, whatever was there.
    package func put(_ key: SubnetKey, _ announcement: LeaseAnnouncement, grant: GrantID? = nil) {
        content.withLock { _ = Self.write(&$0, key, announcement, grant) }
    }

    /// Deletes a key as an operator would.
    package func delete(_ key: SubnetKey) { content.withLock { Self.remove(&$0, key) } }

    /// Ends a grant and what hangs on it.
    package func expire(_ grant: GrantID) {
        content.withLock { content in
            content.grants[grant] = nil
            for (key, lease) in content.leases where lease.grantID == grant { Self.remove(&content, key) }
        }
    }

    package func feed() -> Feed {
        let (stream, continuation) = AsyncStream<LeaseEvent>.makeStream()
        content.withLock { content in
            if !content.areFeedsHung { continuation.yield(.snapshot(Self.snapshot(content, startsHistory: true))) }
            content.feeds.append(continuation)
        }
        return Feed(base: stream)
    }

    package func grant(ttl: Duration) async throws(LeaseStoreError) -> Grant {
        try await request { content in
            let id = GrantID(content.nextGrant)
            content.nextGrant += 1
            content.grants[id] = ttl
            return Grant(id: id, ttl: ttl)
        }
    }

    package func renew(_ grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        try await request { $0.grants[grant] }
    }

    package func commit(_ claim: LeaseClaim) async throws(LeaseStoreError) -> ClaimOutcome {
        try await request { Self.commit(claim, &$0) }
    }

    package func issue(_ claim: LeaseClaim, token: TokenDigest?) async throws(LeaseStoreError) -> IssueOutcome {
        let (outcome, isLost): (IssueOutcome, Bool) = try await request { content in
            let isLost = content.answersToLose > 0
            if isLost { content.answersToLose -= 1 }
            return (Self.issue(claim, token, &content), isLost)
        }
        guard isLost else { return outcome }
        throw LeaseStoreError(remedy: .retry, description: "the answer was lost", mayHaveApplied: true)
    }

    private static func issue(_ claim: LeaseClaim, _ token: TokenDigest?, _ content: inout Content) -> IssueOutcome {
        let outcome = Self.commit(claim, &content)
        guard case .claimed(let lease) = outcome else { return .refused(outcome) }
        content.tokens[claim.key] = token.map { ($0, claim.grant, content.revision) }
        let meanwhile = content.leases.values.filter { $0.modRevision > claim.known && $0.key != claim.key }
        return .issued(lease, meanwhile: meanwhile.map(LeaseRecord.lease), at: Revision(content.revision))
    }

    package func proofs(of keys: [SubnetKey]) async throws(LeaseStoreError) -> [SubnetKey: LeaseProof] {
        try await request { content in
            var proofs: [SubnetKey: LeaseProof] = [:]
            for key in keys {
                guard let lease = content.leases[key] else { continue }
                let token = content.tokens[key].flatMap { token in
                    token.grant == lease.grantID && token.revision >= lease.createRevision.value ? token.digest : nil
                }
                proofs[key] = LeaseProof(lease: lease, token: token)
            }
            return proofs
        }
    }

    package func lease(of subnet: IPv4Prefix) async throws(LeaseStoreError) -> Lease? {
        try await request { $0.leases.values.first { $0.subnet == subnet } }
    }

    package func renew(_ grants: [GrantID]) async throws(LeaseStoreError) -> [GrantID: Duration] {
        try await request { content in
            content.renewals.append(grants.count)
            return content.grants.filter { grants.contains($0.key) }
        }
    }

    package func withdraw(_ lease: Lease) async throws(LeaseStoreError) -> WithdrawalOutcome {
        try await request { content in
            guard let present = content.leases[lease.key] else { return .gone }
            guard present.modRevision == lease.modRevision, present.kind == lease.kind else { return .changed }
            Self.remove(&content, lease.key)
            content.tokens[lease.key] = nil
            content.notes[lease.key] = (lease.announcement.node, content.revision)
            return .withdrawn
        }
    }

    private static func commit(_ claim: LeaseClaim, _ content: inout Content) -> ClaimOutcome {
        if let grant = claim.grant, content.grants[grant] == nil { return .grantGone }
        let present = content.leases[claim.key]
        let news = content.leases.values.filter { $0.modRevision > claim.known || $0.key == claim.key }
            .map(LeaseRecord.lease)
        let holds =
            switch claim.condition {
            case .absent: present == nil
            case .unchanged(let revision, let kind):
                present?.modRevision == revision && (kind == nil || present?.kind == kind)
            }
        guard holds else {
            return .conflict(news, at: Revision(content.revision))
        }
        if claim.reuse == .never, content.notes[claim.key] != nil {
            return .usedBefore(Self.past(content), news, at: Revision(content.revision))
        }
        if claim.condition == .absent {
            content.notes[claim.key] = (claim.announcement.node, content.revision + 1)
        }
        return .claimed(Self.write(&content, claim.key, claim.announcement, claim.grant))
    }

    package func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool {
        try await request { content in
            guard let lease = content.leases[key] else { return true }
            guard lease.modRevision == revision else { return false }
            Self.remove(&content, key)
            return true
        }
    }

    package func release(_ lease: Lease) async throws(LeaseStoreError) -> Bool {
        try await request { content in
            guard let present = content.leases[lease.key] else { return true }
            guard present.modRevision == lease.modRevision, present.kind == lease.kind else { return false }
            Self.remove(&content, lease.key)
            return true
        }
    }

    package func revoke(_ grant: GrantID) async throws(LeaseStoreError) {
        try await request { _ in }
        expire(grant)
    }

    package func remainingTime(of grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        try await request { $0.grants[grant] }
    }

    package func noteFreed(_ lease: Lease) async throws(LeaseStoreError) {
        try await request { content in
            guard content.leases[lease.key] == nil else { return }
            content.revision += 1
            content.notes[lease.key] = (lease.announcement.node, content.revision)
        }
    }

    /// Whether one came: `false` where the request was cancelled before.
    private func waitForAnswer() async -> Bool {
        let number = content.withLock { content in
            content.arrived += 1
            return content.arrived - 1
        }
        guard content.withLock({ $0.hung.contains(number) }) else { return true }
        content.withLock { $0.waiting += 1 }
        defer { content.withLock { $0.waiting -= 1 } }
        while content.withLock({ $0.hung.contains(number) }) {
            do { try await Task.sleep(for: .milliseconds(2)) } catch { return false }
        }
        return true
    }

    private static func past(_ content: Content) -> SubnetPast {
        let holders = content.notes.sorted { $0.value.revision < $1.value.revision }
            .map { SubnetPast.Holder(key: $0.key, node: $0.value.node) }
        return SubnetPast(holders: holders, count: holders.count)
    }

    private static func snapshot(_ content: Content, startsHistory: Bool) -> SnapshotPart {
        SnapshotPart(
            revision: Revision(content.revision), records: content.leases.values.map(LeaseRecord.lease),
            config: content.config, isFirst: true, isLast: true, startsHistory: startsHistory)
    }

    private func request<Result: Sendable>(
        _ body: (inout Content) -> Result
    ) async throws(LeaseStoreError) -> Result {
        if await !waitForAnswer() {
            throw LeaseStoreError(remedy: .cancelled, description: "the request was cancelled")
        }
        let outcome: Swift.Result<Result, LeaseStoreError> = content.withLock { content in
            content.requests += 1
            if let failure = content.failure { return .failure(failure) }
            return .success(body(&content))
        }
        return try outcome.get()
    }

    private static func write(
        _ content: inout Content, _ key: SubnetKey, _ announcement: LeaseAnnouncement, _ grant: GrantID?
    ) -> Lease {
        content.revision += 1
        let revision = Revision(content.revision)
        let lease = Lease(
            key: key, announcement: announcement, kind: grant.map(Lease.Kind.lease) ?? .reservation,
            createRevision: content.leases[key]?.createRevision ?? revision, modRevision: revision)
        content.leases[key] = lease
        tell(&content, .changes([.lease(lease)], config: nil, at: revision))
        return lease
    }

    private static func remove(_ content: inout Content, _ key: SubnetKey) {
        guard content.leases.removeValue(forKey: key) != nil else { return }
        content.revision += 1
        let revision = Revision(content.revision)
        tell(&content, .changes([.gone(name: key.description, at: revision)], config: nil, at: revision))
    }

    private static func tell(_ content: inout Content, _ event: LeaseEvent) {
        guard !content.isMute else { return }
        for feed in content.feeds { feed.yield(event) }
    }
}

/// A stream of events with the port's typed failure.
package struct AsyncThrowingFeed: AsyncSequence, Sendable {
    package typealias Element = LeaseEvent
    package typealias Failure = LeaseStoreError

    let base: AsyncStream<LeaseEvent>

    package func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator()) }

    package struct Iterator: AsyncIteratorProtocol {
        var base: AsyncStream<LeaseEvent>.Iterator

        package mutating func next() async throws(LeaseStoreError) -> LeaseEvent? {
            await base.next(isolation: #isolation)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(LeaseStoreError) -> LeaseEvent? {
            await base.next(isolation: actor)
        }
    }
}
