// SPDX-License-Identifier: Apache-2.0

/// Where leases are kept: the port through which the node's loops reach etcd.
///
/// Every write compares what was read: a call can fail or report a conflict, but never takes a key from anybody.
package protocol LeaseStore: Sendable {
    associatedtype Feed: AsyncSequence<LeaseEvent, LeaseStoreError> & Sendable

    /// Config and leases, first as a snapshot, then as changes, for as long as somebody reads. It never ends by
    /// itself: what breaks is mended inside and told as ``LeaseEvent/interrupted(_:)``.
    func feed() -> Feed

    /// A new grant, to which a lease can be attached.
    func grant(ttl: Duration) async throws(LeaseStoreError) -> Grant

    /// Puts a grant's life back to its full TTL and returns that; `nil` where the grant is gone. Writes no key.
    func renew(_ grant: GrantID) async throws(LeaseStoreError) -> Duration?

    /// Makes or changes a lease in one transaction.
    func commit(_ claim: LeaseClaim) async throws(LeaseStoreError) -> ClaimOutcome

    /// Deletes a lease if it still is at that revision; `false` where it is not. A lease that is gone was released.
    func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool

    /// The same, and only if it still hangs on the same grant: a revision alone may be another lease's after etcd was
    /// restored from a snapshot.
    func release(_ lease: Lease) async throws(LeaseStoreError) -> Bool

    /// Ends a grant with everything attached to it. A grant that is gone was revoked.
    func revoke(_ grant: GrantID) async throws(LeaseStoreError)

    /// Notes that the subnet of a lease that ended was freed just now, if nobody has it yet: for those who claim a
    /// subnet later (``SubnetPast``).
    func noteFreed(_ lease: Lease) async throws(LeaseStoreError)

    /// What is left of a grant; `nil` where it is gone.
    func remainingTime(of grant: GrantID) async throws(LeaseStoreError) -> Duration?
}

/// One lease to be written, and what must be true of its key for that.
package struct LeaseClaim: Hashable, Sendable {
    package enum Condition: Hashable, Sendable {
        /// Nobody has the key.
        case absent
        /// The key is as it was read. Where its kind is said too, it must hang on the same grant: revisions repeat
        /// themselves after etcd was restored from a snapshot, grants do not.
        case unchanged(since: Revision, as: Lease.Kind? = nil)
    }

    /// Whether the subnet may be one that another node had before.
    package enum Reuse: Hashable, Sendable {
        /// The claim fails where it had a holder, with ``ClaimOutcome/usedBefore(_:_:at:)``.
        case never
        case allowed
    }

    package let key: SubnetKey
    package let announcement: LeaseAnnouncement
    /// What the key's life hangs on; `nil` keeps a reservation one.
    package let grant: GrantID?
    package let condition: Condition
    /// The newest revision whose leases the claimant knows: a conflict tells what came after it.
    package let known: Revision
    package let reuse: Reuse

    package init(
        key: SubnetKey, announcement: LeaseAnnouncement, grant: GrantID?, condition: Condition, known: Revision,
        reuse: Reuse = .allowed
    ) {
        self.key = key
        self.announcement = announcement
        self.grant = grant
        self.condition = condition
        self.known = known
        self.reuse = reuse
    }
}

package enum ClaimOutcome: Sendable {
    case claimed(Lease)
    /// The condition did not hold. With every lease written after what the claimant knew, the one on the key
    /// included, so that it can go on without listing again.
    case conflict([LeaseRecord], at: Revision)
    /// The key is free, but was somebody's before, and the claim said ``LeaseClaim/Reuse/never``. With the same
    /// records as a conflict.
    case usedBefore(SubnetPast, [LeaseRecord], at: Revision)
    /// The claim's grant does not exist (any more).
    case grantGone
}
