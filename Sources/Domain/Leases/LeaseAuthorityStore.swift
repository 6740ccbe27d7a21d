// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What an authority needs of the store beside a node's own lease: leases for others, each with the digest of the
/// token that proves its holder.
///
/// A digest lives and ends with its lease, and every authority over the same store sees it: a holder may renew at any
/// of them.
package protocol LeaseAuthorityStore: LeaseStore {
    /// Makes or changes a lease in one transaction, which also keeps its token's digest on the same grant and tells
    /// what else was written since what the claim says is known: of two leases that contradict each other, whoever
    /// came second sees the first.
    ///
    /// - Parameter token: `nil` where nobody is to renew it.
    func issue(_ claim: LeaseClaim, token: TokenDigest?) async throws(LeaseStoreError) -> IssueOutcome

    /// The leases of some subnets as they are now, with their tokens' digests; many in one request.
    func proofs(of keys: [SubnetKey]) async throws(LeaseStoreError) -> [SubnetKey: LeaseProof]

    /// The lease of an IPv4 subnet as it is now, whatever IPv6 subnet goes with it.
    func lease(of subnet: IPv4Prefix) async throws(LeaseStoreError) -> Lease?

    /// Puts the lives of many grants back to their full TTL in one request; those that are missing from the answer
    /// are gone. Writes no key.
    func renew(_ grants: [GrantID]) async throws(LeaseStoreError) -> [GrantID: Duration]

    /// Deletes a lease with its token's digest if it still is as it was read, and notes that its subnet was freed just
    /// now, all in one transaction.
    func withdraw(_ lease: Lease) async throws(LeaseStoreError) -> WithdrawalOutcome
}

package enum IssueOutcome: Sendable {
    /// With the other leases written after what the claimant knew, and the revision of all that.
    case issued(Lease, meanwhile: [LeaseRecord], at: Revision)
    /// Never ``ClaimOutcome/claimed(_:)``.
    case refused(ClaimOutcome)
}

/// A lease as it is now, and what proves its holder.
package struct LeaseProof: Sendable {
    package let lease: Lease
    /// `nil`: no authority made the lease, and only the node itself renews it.
    package let token: TokenDigest?

    package init(lease: Lease, token: TokenDigest?) {
        self.lease = lease
        self.token = token
    }
}

package enum WithdrawalOutcome: Hashable, Sendable {
    case withdrawn
    /// Nobody has the subnet.
    case gone
    /// It was written since it was read, by its holder or for another.
    case changed
}
