// SPDX-License-Identifier: Apache-2.0

/// A difference that an event made to the set of leases.
package enum LeaseChange: Hashable, Sendable {
    case added(Lease)
    /// Apart, so that the many `added` of a snapshot are not as large as two leases.
    indirect case updated(Lease, previous: Lease)
    case removed(Lease)

    package var key: SubnetKey {
        switch self {
        case .added(let lease), .updated(let lease, _), .removed(let lease): lease.key
        }
    }
}
