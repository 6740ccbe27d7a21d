// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The four tables of one family, wanted against seen.
package struct DataplaneTracker<Address: BinaryAddress>: Sendable {
    package private(set) var neighbors = DeltaTracker<Address, MACAddress>()
    package private(set) var fdb = DeltaTracker<MACAddress, Address>()
    package private(set) var nextHops = DeltaTracker<NextHopID, NextHop<Address>>()
    package private(set) var routes = DeltaTracker<Prefix<Address>, Route<Address>.Path>()

    package init() {}

    package var hasPending: Bool {
        neighbors.hasPending || fdb.hasPending || nextHops.hasPending || routes.hasPending
    }

    package var wantedCount: Int {
        neighbors.wantedCount + fdb.wantedCount + nextHops.wantedCount + routes.wantedCount
    }

    package var seenCount: Int { neighbors.seenCount + fdb.seenCount + nextHops.seenCount + routes.seenCount }

    package mutating func unwantAll() {
        neighbors.unwantAll()
        fdb.unwantAll()
        nextHops.unwantAll()
        routes.unwantAll()
    }

    package mutating func want(_ peer: PeerEntries<Address>) {
        if let neighbor = peer.neighbor { neighbors.want(neighbor.address, neighbor.mac) }
        if let entry = peer.fdb { fdb.want(entry.mac, entry.destination) }
        if let nextHop = peer.nextHop { nextHops.want(nextHop.id, nextHop) }
        routes.want(peer.route.destination, peer.route.path)
    }

    /// Takes back what was wanted for a peer; an entry that was wanted otherwise since, by another, stays.
    package mutating func unwant(_ peer: PeerEntries<Address>) {
        if let neighbor = peer.neighbor, neighbors.wanted(neighbor.address) == neighbor.mac {
            neighbors.want(neighbor.address, nil)
        }
        if let entry = peer.fdb, fdb.wanted(entry.mac) == entry.destination { fdb.want(entry.mac, nil) }
        if let nextHop = peer.nextHop, nextHops.wanted(nextHop.id) == nextHop { nextHops.want(nextHop.id, nil) }
        if routes.wanted(peer.route.destination) == peer.route.path { routes.want(peer.route.destination, nil) }
    }

    /// What a dump of the kernel's tables said.
    package mutating func seeAll(_ state: DataplaneState<Address>) {
        neighbors.seeAll(state.neighbors)
        fdb.seeAll(state.fdb)
        nextHops.seeAll(state.nextHops)
        routes.seeAll(state.routes)
    }

    /// An operation succeeded.
    package mutating func done(_ operation: Operation<Address>) {
        switch operation {
        case .setNeighbor(let entry): neighbors.see(entry.address, entry.mac)
        case .removeNeighbor(let address): neighbors.see(address, nil)
        case .setFDBEntry(let entry): fdb.see(entry.mac, entry.destination)
        case .removeFDBEntry(let entry): fdb.see(entry.mac, nil)
        case .setNextHop(let entry, _): nextHops.see(entry.id, entry)
        case .removeNextHop(let id): nextHops.see(id, nil)
        case .setRoute(let route, _): routes.see(route.destination, route.path)
        case .removeRoute(let route): routes.see(route.destination, nil)
        }
    }
}
