// SPDX-License-Identifier: Apache-2.0

/// What the feed of leases says: a snapshot at a revision, in parts, or changes at a revision. Nothing else comes up
/// from the store; compaction and broken connections end inside it.
package enum LeaseEvent: Sendable {
    case snapshot(SnapshotPart)
    case changes([LeaseRecord], config: ConfigReading?, at: Revision)
    /// The feed has no connection that can be believed; what was said before still stands.
    case interrupted(LeaseStoreError)
    /// The feed is whole again.
    case resumed
}

/// A part of the set of leases at one revision. Parts let the host be programmed while etcd still answers.
///
/// Only once the last part is there is the absence of a lease a fact.
package struct SnapshotPart: Sendable {
    package let revision: Revision
    package let records: [LeaseRecord]
    /// On the first part; `nil` on others.
    package let config: ConfigReading?
    package let isFirst: Bool
    package let isLast: Bool
    /// What was said before this snapshot belongs to another history: etcd was restored from an older snapshot of its
    /// own, and revisions of before can't be compared with those from here on.
    package let startsHistory: Bool

    package init(
        revision: Revision, records: [LeaseRecord], config: ConfigReading?, isFirst: Bool, isLast: Bool,
        startsHistory: Bool = false
    ) {
        self.revision = revision
        self.records = records
        self.config = config
        self.isFirst = isFirst
        self.isLast = isLast
        self.startsHistory = startsHistory
    }
}

/// One key under the leases' prefix, read.
package enum LeaseRecord: Hashable, Sendable {
    case lease(Lease)
    case unreadable(UnreadableLease)
    /// Deleted or expired: etcd does not say which.
    case gone(name: String, at: Revision)
}

/// What `PREFIX/config` says.
package enum ConfigReading: Hashable, Sendable {
    case valid(NetworkConfig)
    case invalid(NetworkConfigError)
    case missing

    /// What is wrong with it and how to mend it, as one sentence; `nil` where nothing is.
    /// - Parameter key: where it stands in etcd.
    package func problem(at key: String) -> String? {
        switch self {
        case .valid: nil
        case .invalid(let error):
            "the network config at \(key) in etcd can't be used: \(error); correct it with 'tartan network set'"
        case .missing: "there is no network config at \(key) in etcd; write it with 'tartan network init'"
        }
    }
}
