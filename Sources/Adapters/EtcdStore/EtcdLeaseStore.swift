// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

/// The leases in etcd, in flannel's schema.
package struct EtcdLeaseStore: LeaseStore {
    let client: EtcdClient
    let keys: KeySpace

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
        let transaction = transaction(for: claim, when: conditions(claim.condition, on: keys.key(of: claim.key)))
        let response: TransactionResponse
        do {
            response = try await client.transact(transaction)
        } catch {
            // "etcdserver: requested lease not found"
            if error.code == .notFound { return .grantGone }
            throw LeaseStoreError(error)
        }
        let records = response.ranges.prefix(2).flatMap(\.keyValues).compactMap(record)
        guard response.succeeded else { return refusal(of: claim, response, records) }
        guard case .lease(let lease)? = records.first else {
            throw LeaseStoreError(
                remedy: .retry, description: "etcd at \(client.endpoint) did not show the lease it wrote",
                mayHaveApplied: true)
        }
        return .claimed(lease)
    }

    func conditions(_ condition: LeaseClaim.Condition, on key: String) -> [Transaction.Compare] {
        switch condition {
        case .absent: return [.init(key, .createRevision(0))]
        case .unchanged(let revision, let kind):
            let compare = Transaction.Compare(key, .modRevision(revision.value))
            guard let kind else { return [compare] }
            guard case .lease(let grant) = kind else { return [compare, .init(key, .lease(0))] }
            return [compare, .init(key, .lease(grant.value))]
        }
    }

    func transaction(for claim: LeaseClaim, when conditions: [Transaction.Compare]) -> Transaction {
        let key = keys.key(of: claim.key)
        let own = RangeRequest(KeyRange(key: key))
        var news = RangeRequest(keys.leases)
        news.minModRevision = claim.known.value + 1
        var transaction = Transaction(
            when: conditions,
            then: [.put(key: key, value: claim.announcement.json, lease: claim.grant?.value ?? 0), .range(own)],
            else: [.range(own), .range(news)])
        guard claim.condition == .absent else { return transaction }
        let note = keys.holder(of: claim.key)
        transaction.success.append(
            .put(key: note, value: HolderNote(node: claim.announcement.node).json, lease: 0))
        guard claim.reuse == .never else { return transaction }
        transaction.compares.append(.init(note, .createRevision(0)))
        var holders = RangeRequest(keys.holders)
        holders.limit = Self.holderLimit
        holders.oldestWritesFirst = true
        transaction.failure += [.range(RangeRequest(KeyRange(key: note))), .range(holders)]
        return transaction
    }

    /// How many notes a refused claim reads, some 200 bytes each.
    private static let holderLimit: Int64 = 500

    func refusal(
        of claim: LeaseClaim, _ response: TransactionResponse, _ records: [LeaseRecord]
    ) -> ClaimOutcome {
        let revision = Revision(response.header.revision)
        guard response.ranges.count == 4, response.ranges[0].keyValues.isEmpty else {
            return .conflict(records, at: revision)
        }
        func past(_ range: RangeResponse) -> SubnetPast {
            let holders = range.keyValues.compactMap { keyValue in
                keys.holderKey(keyValue.key).map {
                    SubnetPast.Holder(key: $0, node: HolderNote(json: keyValue.value).node)
                }
            }
            return SubnetPast(holders: holders, count: Int(range.count))
        }
        return .usedBefore(past(response.ranges[3]).adding(past(response.ranges[2])), records, at: revision)
    }

    package func noteFreed(_ lease: Lease) async throws(LeaseStoreError) {
        let transaction = Transaction(
            when: [.init(keys.key(of: lease.key), .createRevision(0))],
            then: [
                .put(
                    key: keys.holder(of: lease.key), value: HolderNote(node: lease.announcement.node).json, lease: 0)
            ])
        _ = try await ask { () async throws(EtcdError) in try await client.transact(transaction) }
    }

    package func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool {
        try await release(key, .unchanged(since: revision))
    }

    package func release(_ lease: Lease) async throws(LeaseStoreError) -> Bool {
        try await release(lease.key, lease.unchanged)
    }

    private func release(
        _ key: SubnetKey, _ condition: LeaseClaim.Condition
    ) async throws(LeaseStoreError) -> Bool {
        let name = keys.key(of: key)
        let range = KeyRange(key: name)
        let transaction = Transaction(
            when: conditions(condition, on: name), then: [.delete(range)], else: [.range(RangeRequest(range))])
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

    func record(_ keyValue: KeyValue) -> LeaseRecord? {
        guard case .lease(let name) = keys.meaning(of: keyValue.key) else { return nil }
        return LeaseRecord(name: name, keyValue)
    }

    func ask<Answer: Sendable>(
        _ body: () async throws(EtcdError) -> Answer
    ) async throws(LeaseStoreError) -> Answer {
        do {
            return try await body()
        } catch {
            throw LeaseStoreError(error)
        }
    }
}
