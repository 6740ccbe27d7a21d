// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// One step of a plan.
package enum Operation<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    case setNeighbor(Neighbor<Address>)
    case removeNeighbor(Address)
    case setFDBEntry(FDBEntry<Address>)
    case removeFDBEntry(FDBEntry<Address>)
    /// `replacing`: the kernel has one of ours under that number.
    case setNextHop(NextHop<Address>, replacing: Bool)
    case removeNextHop(NextHopID)
    /// `replacing`: the kernel has one of ours to that destination. A route that is not ours is never replaced.
    case setRoute(Route<Address>, replacing: Bool)
    case removeRoute(Route<Address>)

    package var description: String {
        switch self {
        case .setNeighbor(let entry): "set \(entry)"
        case .removeNeighbor(let address): "remove neighbour \(address)"
        case .setFDBEntry(let entry): "set \(entry)"
        case .removeFDBEntry(let entry): "remove \(entry)"
        case .setNextHop(let entry, let replacing): "\(replacing ? "replace" : "add") \(entry)"
        case .removeNextHop(let id): "remove nexthop id \(id)"
        case .setRoute(let route, let replacing): "\(replacing ? "replace" : "add") \(route)"
        case .removeRoute(let route): "remove \(route)"
        }
    }
}
