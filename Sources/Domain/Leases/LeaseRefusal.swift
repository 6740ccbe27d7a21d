// SPDX-License-Identifier: Apache-2.0

/// Why a subnet is not leased to, or kept for, the node that it was asked for.
package enum LeaseRefusal: Error, Hashable, Sendable {
    /// There is no network config that could be used.
    case noConfig(ConfigReading)
    /// The node itself has a lease already: its name and its address are this lease's.
    case hasLease(Lease)
    /// Another node has its name or its public address.
    case identityTaken(IdentityConflict)
    /// The network config would not give out that subnet.
    case notGivenOut(SubnetKey)
    /// Somebody has the subnet or one that overlaps it; `nil` where the lease there can't be read.
    case subnetTaken(SubnetKey, by: Lease?)
    case rangeFull(taken: Int, size: Int)
    /// A subnet is kept for the node already.
    case hasReservation(Lease)
    /// The reservation that stands there says something else, and was not named by its revision.
    case reservationDiffers(Lease)
    /// Others were faster too often, or etcd was restored meanwhile: the same again later.
    case contended

    /// The lease that is in the way, where one is.
    package var holder: Lease? {
        switch self {
        case .hasLease(let lease), .hasReservation(let lease), .reservationDiffers(let lease): lease
        case .identityTaken(let conflict): conflict.lease
        case .subnetTaken(_, let lease): lease
        case .noConfig, .notGivenOut, .rangeFull, .contended: nil
        }
    }
}
