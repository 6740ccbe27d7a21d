// SPDX-License-Identifier: Apache-2.0

import Etcd
package import IPAddressing
package import Leases

extension EtcdLeaseStore: LeaseAuthorityStore {
    package func issue(_ claim: LeaseClaim, token: TokenDigest?) async throws(LeaseStoreError) -> IssueOutcome {
        var transaction = transaction(for: claim, when: conditions(claim.condition, on: keys.key(of: claim.key)))
        var news = RangeRequest(keys.leases)
        news.minModRevision = claim.known.value + 1
        transaction.success.append(.range(news))
        let tokenKey = keys.token(of: claim.key)
        if let token {
            transaction.success.append(
                .put(key: tokenKey, value: TokenNote(token).json, lease: claim.grant?.value ?? 0))
        } else {
            // One of a lease that the key held before.
            transaction.success.append(.delete(KeyRange(key: tokenKey)))
        }
        let response: TransactionResponse
        do {
            response = try await client.transact(transaction)
        } catch {
            if error.code == .notFound { return .refused(.grantGone) }
            throw LeaseStoreError(error)
        }
        guard response.succeeded else {
            return .refused(
                refusal(of: claim, response, response.ranges.prefix(2).flatMap(\.keyValues).compactMap(record)))
        }
        guard case .lease(let lease)? = response.ranges.first?.keyValues.first.flatMap(record) else {
            throw LeaseStoreError(
                remedy: .retry, description: "etcd at \(client.endpoint) did not show the lease it wrote",
                mayHaveApplied: true)
        }
        let own = Array(keys.key(of: claim.key).utf8)
        let meanwhile = response.ranges.dropFirst().flatMap(\.keyValues).filter { $0.key != own }
        return .issued(lease, meanwhile: meanwhile.compactMap(record), at: Revision(response.header.revision))
    }

    /// Two ranges a subnet; etcd takes 128 operations a transaction (`--max-txn-ops`).
    private static let proofsPerRequest = 60

    package func proofs(of wanted: [SubnetKey]) async throws(LeaseStoreError) -> [SubnetKey: LeaseProof] {
        var proofs: [SubnetKey: LeaseProof] = [:]
        var rest = wanted[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.proofsPerRequest)
            rest = rest.dropFirst(part.count)
            let transaction = Transaction(
                when: [],
                then: part.flatMap { key in
                    [keys.key(of: key), keys.token(of: key)].map { .range(RangeRequest(KeyRange(key: $0))) }
                })
            let response = try await ask { () async throws(EtcdError) in try await client.transact(transaction) }
            for (index, key) in part.enumerated() where response.ranges.count > 2 * index + 1 {
                guard case .lease(let lease)? = response.ranges[2 * index].keyValues.first.flatMap(record) else {
                    continue
                }
                let note = response.ranges[2 * index + 1].keyValues.first
                proofs[key] = LeaseProof(lease: lease, token: note.flatMap { Self.token($0, of: lease) })
            }
        }
        return proofs
    }

    package func lease(of subnet: IPv4Prefix) async throws(LeaseStoreError) -> Lease? {
        let range = RangeRequest(KeyRange(prefix: keys.key(of: SubnetKey(subnet))))
        let response = try await ask { () async throws(EtcdError) in try await client.range(range) }
        for case .lease(let lease)? in response.keyValues.map(record) where lease.subnet == subnet { return lease }
        return nil
    }

    /// A token belongs to a lease if it hangs on the same grant and was written in the lease's own life.
    private static func token(_ note: KeyValue, of lease: Lease) -> TokenDigest? {
        guard note.lease == lease.grantID?.value ?? 0, note.modRevision >= lease.createRevision.value else {
            return nil
        }
        return TokenNote(json: note.value)?.digest
    }

    package func renew(_ grants: [GrantID]) async throws(LeaseStoreError) -> [GrantID: Duration] {
        guard !grants.isEmpty else { return [:] }
        let answers = try await ask { () async throws(EtcdError) in
            try await client.keepAlive(grants.map(\.value))
        }
        var lives: [GrantID: Duration] = [:]
        for grant in grants { lives[grant] = answers[grant.value].flatMap(\.self).map { .seconds($0) } }
        return lives
    }

    package func withdraw(_ lease: Lease) async throws(LeaseStoreError) -> WithdrawalOutcome {
        let name = keys.key(of: lease.key)
        let transaction = Transaction(
            when: conditions(lease.unchanged, on: name),
            then: [
                .delete(KeyRange(key: name)), .delete(KeyRange(key: keys.token(of: lease.key))),
                .put(
                    key: keys.holder(of: lease.key), value: HolderNote(node: lease.announcement.node).json, lease: 0),
            ], else: [.range(RangeRequest(KeyRange(key: name)))])
        let response = try await ask { () async throws(EtcdError) in try await client.transact(transaction) }
        if response.succeeded { return .withdrawn }
        return response.ranges.allSatisfy(\.keyValues.isEmpty) ? .gone : .changed
    }
}
