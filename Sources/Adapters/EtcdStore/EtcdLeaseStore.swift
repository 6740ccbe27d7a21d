// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

/// The leases in etcd, in flannel's schema.
package struct EtcdLeaseStore: LeaseStore {
    private let client: EtcdClient
    private let keys: KeySpace

    package init(client: EtcdClient, keys: KeySpace) {
        self.client = client
        self.keys = keys
    }

    package func feed() -> LeaseFeed { LeaseFeed(client: client, keys: keys) }

    package func grant(ttl: Duration) async throws(LeaseStoreError) -> Grant {
        let seconds = ttl.components.attoseconds > 0 ? ttl.components.seconds + 1 : ttl.components.seconds
        let status = try await ask { () async throws(EtcdError) in try await client.grant(ttl: max(1, seconds)) }
        return Grant(id: GrantID(status.id), ttl: .seconds(status.ttl))
    }

    package func renew(_ grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        let answers = try await ask { () async throws(EtcdError) in try await client.keepAlive([grant.value]) }
        return answers[grant.value].flatMap(\.self).map { .seconds($0) }
    }

    package func commit(_ claim: LeaseClaim) async throws(LeaseStoreError) -> ClaimOutcome {
        let key = keys.key(of: claim.key)
        let target: Transaction.Compare.Target =
            switch claim.condition {
            case .absent: .createRevision(0)
            case .unchanged(let revision): .modRevision(revision.value)
            }
        let own = RangeRequest(KeyRange(key: key))
        var news = RangeRequest(keys.leases)
        news.minModRevision = claim.known.value + 1
        let transaction = Transaction(
            when: [.init(key, target)],
            then: [
                .put(key: key, value: claim.announcement.json, lease: claim.grant?.value ?? 0), .range(own),
            ],
            else: [.range(own), .range(news)])
        let response: TransactionResponse
        do {
            response = try await client.transact(transaction)
        } catch {
            // "etcdserver: requested lease not found"
            if error.code == .notFound { return .grantGone }
            throw LeaseStoreError(error)
        }
        let records = response.ranges.flatMap(\.keyValues).compactMap(record)
        guard response.succeeded else { return .conflict(records, at: Revision(response.header.revision)) }
        guard case .lease(let lease)? = records.first else {
            throw LeaseStoreError(
                remedy: .retry, description: "etcd at \(client.endpoint) did not show the lease it wrote",
                mayHaveApplied: true)
        }
        return .claimed(lease)
    }

    package func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool {
        let range = KeyRange(key: keys.key(of: key))
        let transaction = Transaction(
            when: [.init(keys.key(of: key), .modRevision(revision.value))], then: [.delete(range)],
            else: [.range(RangeRequest(range))])
        let response = try await ask { () async throws(EtcdError) in try await client.transact(transaction) }
        return response.succeeded || response.ranges.allSatisfy(\.keyValues.isEmpty)
    }

    package func revoke(_ grant: GrantID) async throws(LeaseStoreError) {
        _ = try await ask { () async throws(EtcdError) in try await client.revoke(grant.value) }
    }

    package func remainingTime(of grant: GrantID) async throws(LeaseStoreError) -> Duration? {
        let status = try await ask { () async throws(EtcdError) in try await client.timeToLive(grant.value) }
        return status.map { .seconds($0.ttl) }
    }

    private func record(_ keyValue: KeyValue) -> LeaseRecord? {
        guard case .lease(let name) = keys.meaning(of: keyValue.key) else { return nil }
        return LeaseRecord(name: name, keyValue)
    }

    private func ask<Answer: Sendable>(
        _ body: () async throws(EtcdError) -> Answer
    ) async throws(LeaseStoreError) -> Answer {
        do {
            return try await body()
        } catch {
            throw LeaseStoreError(error)
        }
    }
}
