// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The four tables.
package enum EntryKind: String, CaseIterable, Hashable, Sendable {
    case neighbor
    case fdb
    case nextHop
    case route
}

/// Which entry of which table: what the kernel has at most one of.
package enum EntryKey<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    case neighbor(Address)
    case fdb(MACAddress)
    case nextHop(NextHopID)
    case route(Prefix<Address>)

    package var kind: EntryKind {
        switch self {
        case .neighbor: .neighbor
        case .fdb: .fdb
        case .nextHop: .nextHop
        case .route: .route
        }
    }

    package var description: String {
        switch self {
        case .neighbor(let address): "neighbour \(address)"
        case .fdb(let mac): "fdb \(mac)"
        case .nextHop(let id): "nexthop id \(id)"
        case .route(let prefix): "route \(prefix)"
        }
    }
}

extension Operation {
    /// The entry that it is about.
    package var key: EntryKey<Address> {
        switch self {
        case .setNeighbor(let entry): .neighbor(entry.address)
        case .removeNeighbor(let address): .neighbor(address)
        case .setFDBEntry(let entry): .fdb(entry.mac)
        case .removeFDBEntry(let entry): .fdb(entry.mac)
        case .setNextHop(let entry, _): .nextHop(entry.id)
        case .removeNextHop(let id): .nextHop(id)
        case .setRoute(let route, _): .route(route.destination)
        case .removeRoute(let route): .route(route.destination)
        }
    }
}
