// SPDX-License-Identifier: Apache-2.0

package import Leases
import Synchronization

/// A ``LeaseStore`` that keeps its leases in memory, by etcd's rules: revisions, grants, compare-and-write.
///
/// Time passes only when the test says so: grants end by ``expire(_:)``.
package final class InMemoryLeaseStore: LeaseStore {
    package typealias Feed = AsyncThrowingFeed

    private struct Content {
        var revision: Int64 = 1
        var config: ConfigReading
        var leases: [SubnetKey: Lease] = [:]
        var grants: [GrantID: Duration] = [:]
        var nextGrant: Int64 = 1
        var failure: LeaseStoreError?
        var requests = 0
        var feeds: [AsyncStream<LeaseEvent>.Continuation] = []
    }

    private let content: Mutex<Content>

    package init(config: ConfigReading) { content = Mutex(Content(config: config)) }

    // MARK: What a test does to it

    /// Every request fails with that error until it is `nil` again.
    package func fail(with error: LeaseStoreError?) { content.withLock { $0.failure = error } }

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

    // MARK: The port

    package func feed() -> Feed {
        let (stream, continuation) = AsyncStream<LeaseEvent>.makeStream()
        content.withLock { content in
            continuation.yield(
                .snapshot(
                    SnapshotPart(
                        revision: Revision(content.revision), records: content.leases.values.map(LeaseRecord.lease),
                        config: content.config, isFirst: true, isLast: true)))
            content.feeds.append(continuation)
        }
        return Feed(base: stream)
    }

    package func grant(ttl: Duration) async throws(LeaseStoreError) -> Grant {
        try request { content in
            let id = GrantID(content.nextGrant)
            content.nextGrant += 1
            content.grants[id] = ttl
            return Grant(id: id, ttl: ttl)
        }
    }

    package func renew(_ grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        try request { $0.grants[grant] }
    }

    package func commit(_ claim: LeaseClaim) async throws(LeaseStoreError) -> ClaimOutcome {
        try request { content in
            if let grant = claim.grant, content.grants[grant] == nil { return .grantGone }
            let present = content.leases[claim.key]
            let holds =
                switch claim.condition {
                case .absent: present == nil
                case .unchanged(let revision): present?.modRevision == revision
                }
            guard holds else {
                let news = content.leases.values.filter { $0.modRevision > claim.known || $0.key == claim.key }
                return .conflict(news.map(LeaseRecord.lease), at: Revision(content.revision))
            }
            return .claimed(Self.write(&content, claim.key, claim.announcement, claim.grant))
        }
    }

    package func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool {
        try request { content in
            guard let lease = content.leases[key] else { return true }
            guard lease.modRevision == revision else { return false }
            Self.remove(&content, key)
            return true
        }
    }

    package func revoke(_ grant: GrantID) async throws(LeaseStoreError) {
        try request { _ in }
        expire(grant)
    }

    package func remainingTime(of grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        try request { $0.grants[grant] }
    }

    private func request<Result: Sendable>(
        _ body: (inout Content) -> Result
    ) throws(LeaseStoreError) -> Result {
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
