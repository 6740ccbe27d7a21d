// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The four tables of one family, wanted against seen.
package struct DataplaneTracker<Address: BinaryAddress>: Sendable {
    package private(set) var neighbors = DeltaTracker<Address, MACAddress>()
    package private(set) var fdb = DeltaTracker<MACAddress, Address>()
    package private(set) var nextHops = DeltaTracker<NextHopID, NextHop<Address>>()
    package private(set) var routes = DeltaTracker<Prefix<Address>, Route<Address>.Path>()

    /// Which peer an entry is wanted for: a node whose old lease has not ended yet has two with one MAC address, or
    /// one gateway, and what they share goes with the last of them.
    private var neighborClaims = SharedClaims<Address, Prefix<Address>, MACAddress>()
    private var fdbClaims = SharedClaims<MACAddress, Prefix<Address>, Address>()
    private var nextHopClaims = SharedClaims<NextHopID, Prefix<Address>, NextHop<Address>>()

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
        neighborClaims = SharedClaims()
        fdbClaims = SharedClaims()
        nextHopClaims = SharedClaims()
    }

    package mutating func want(_ peer: PeerEntries<Address>) {
        let subnet = peer.route.destination
        if let neighbor = peer.neighbor {
            neighborClaims.claim(neighbor.address, neighbor.mac, for: subnet)
            neighbors.want(neighbor.address, neighbor.mac)
        }
        if let entry = peer.fdb {
            fdbClaims.claim(entry.mac, entry.destination, for: subnet)
            fdb.want(entry.mac, entry.destination)
        }
        if let nextHop = peer.nextHop {
            nextHopClaims.claim(nextHop.id, nextHop, for: subnet)
            nextHops.want(nextHop.id, nextHop)
        }
        routes.want(subnet, peer.route.path)
    }

    /// Takes back what was wanted for a peer; an entry that another wants as well stays, as that one wants it.
    package mutating func unwant(_ peer: PeerEntries<Address>) {
        let subnet = peer.route.destination
        if let neighbor = peer.neighbor {
            neighborClaims.release(neighbor.address, neighbor.mac, for: subnet)
            neighbors.want(neighbor.address, neighborClaims.newest(neighbor.address))
        }
        if let entry = peer.fdb {
            fdbClaims.release(entry.mac, entry.destination, for: subnet)
            fdb.want(entry.mac, fdbClaims.newest(entry.mac))
        }
        if let nextHop = peer.nextHop {
            nextHopClaims.release(nextHop.id, nextHop, for: subnet)
            nextHops.want(nextHop.id, nextHopClaims.newest(nextHop.id))
        }
        if routes.wanted(subnet) == peer.route.path { routes.want(subnet, nil) }
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
