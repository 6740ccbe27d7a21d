// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A node's hold on a subnet, as one key of etcd says it.
///
/// Invariant: at any revision there is at most one lease of a ``SubnetKey``; whoever writes one compares the revision
/// that was read.
package struct Lease: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Ends with its grant.
        case lease(GrantID)
        /// A key without a grant: never expires.
        case reservation
    }

    package let key: SubnetKey
    package let announcement: LeaseAnnouncement
    package let kind: Kind
    /// When the key was made: the older of two leases that contradict each other is in the right.
    package let createRevision: Revision
    /// When the key was last written: what a transaction compares.
    package let modRevision: Revision

    package init(
        key: SubnetKey, announcement: LeaseAnnouncement, kind: Kind, createRevision: Revision, modRevision: Revision
    ) {
        self.key = key
        self.announcement = announcement
        self.kind = kind
        self.createRevision = createRevision
        self.modRevision = modRevision
    }

    package var subnet: IPv4Prefix { key.subnet }

    /// What a claim that changes this lease compares.
    package var unchanged: LeaseClaim.Condition { .unchanged(since: modRevision, as: kind) }

    package var grantID: GrantID? {
        guard case .lease(let id) = kind else { return nil }
        return id
    }
}
