// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
import Leases

/// The four tables of one family, wanted against seen.
///
/// Specialized here for each family, because its users are in other modules: there each step of a generic one asks the run
/// time for the types again, which took as long as the kernel did.
package struct DataplaneTracker<Address: DataplaneAddress>: Sendable {
    package private(set) var neighbors = DeltaTracker<Address, MACAddress>()
    package private(set) var fdb = DeltaTracker<MACAddress, Address>()
    package private(set) var nextHops = DeltaTracker<NextHopID, NextHop<Address>>()
    package private(set) var routes = DeltaTracker<Prefix<Address>, Route<Address>.Path>()

    /// Which peer an entry is wanted for: a node whose old lease has not ended yet has two with one MAC address, or
    /// one gateway, and what they share goes with the last of them.
    private var neighborClaims = SharedClaims<Address, Prefix<Address>, Revision, MACAddress>()
    private var fdbClaims = SharedClaims<MACAddress, Prefix<Address>, Revision, Address>()
    private(set) var nextHopClaims = SharedClaims<NextHopID, Prefix<Address>, Revision, NextHop<Address>>()

    package init() {}

    package var hasPending: Bool {
        neighbors.hasPending || fdb.hasPending || nextHops.hasPending || routes.hasPending
    }

    package var pendingCount: Int {
        neighbors.pendingCount + fdb.pendingCount + nextHops.pendingCount + routes.pendingCount
    }

    package var wantedCount: Int {
        neighbors.wantedCount + fdb.wantedCount + nextHops.wantedCount + routes.wantedCount
    }

    package var seenCount: Int { neighbors.seenCount + fdb.seenCount + nextHops.seenCount + routes.seenCount }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func unwantAll() {
        neighbors.unwantAll()
        fdb.unwantAll()
        nextHops.unwantAll()
        routes.unwantAll()
        neighborClaims = SharedClaims()
        fdbClaims = SharedClaims()
        nextHopClaims = SharedClaims()
    }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func want(_ peer: PeerEntries<Address>) {
        let subnet = peer.route.destination
        if let neighbor = peer.neighbor {
            neighborClaims.claim(neighbor.address, neighbor.mac, rank: peer.rank, for: subnet)
            neighbors.want(neighbor.address, neighborClaims.value(neighbor.address))
        }
        if let entry = peer.fdb {
            fdbClaims.claim(entry.mac, entry.destination, rank: peer.rank, for: subnet)
            fdb.want(entry.mac, fdbClaims.value(entry.mac))
        }
        if let nextHop = peer.nextHop {
            nextHopClaims.claim(nextHop.id, nextHop, rank: peer.rank, for: subnet)
            nextHops.want(nextHop.id, nextHopClaims.value(nextHop.id))
        }
        routes.want(subnet, peer.route.path)
    }

    /// Takes back what was wanted for a peer; an entry that another wants as well stays, as that one wants it.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func unwant(_ peer: PeerEntries<Address>) {
        let subnet = peer.route.destination
        if let neighbor = peer.neighbor {
            neighborClaims.release(neighbor.address, neighbor.mac, for: subnet)
            neighbors.want(neighbor.address, neighborClaims.value(neighbor.address))
        }
        if let entry = peer.fdb {
            fdbClaims.release(entry.mac, entry.destination, for: subnet)
            fdb.want(entry.mac, fdbClaims.value(entry.mac))
        }
        if let nextHop = peer.nextHop {
            nextHopClaims.release(nextHop.id, nextHop, for: subnet)
            nextHops.want(nextHop.id, nextHopClaims.value(nextHop.id))
        }
        if routes.wanted(subnet) == peer.route.path { routes.want(subnet, nil) }
    }

    /// What a dump of the kernel's tables said; returns what of it is drift.
    @discardableResult
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func seeAll(_ state: DataplaneState<Address>) -> [EntryKey<Address>] {
        var drifted: [EntryKey<Address>] = []
        neighbors.seeAll(state.neighbors) { drifted.append(.neighbor($0)) }
        fdb.seeAll(state.fdb) { drifted.append(.fdb($0)) }
        nextHops.seeAll(state.nextHops) { drifted.append(.nextHop($0)) }
        routes.seeAll(state.routes) { drifted.append(.route($0)) }
        return drifted
    }

    /// What notifications said; returns what of it is drift.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func see(_ changes: DataplaneChanges<Address>) -> [EntryKey<Address>] {
        var drifted: [EntryKey<Address>] = []
        for (address, mac) in changes.neighbors where neighbors.see(address, mac) { drifted.append(.neighbor(address)) }
        for (mac, address) in changes.fdb where fdb.see(mac, address) { drifted.append(.fdb(mac)) }
        // Before the next hops: with one of these the kernel removes its routes, whatever was said of them.
        for (prefix, path) in changes.routes where routes.see(prefix, path) { drifted.append(.route(prefix)) }
        for (id, nextHop) in changes.nextHops {
            if nextHops.see(id, nextHop) { drifted.append(.nextHop(id)) }
            guard nextHop == nil else { continue }
            for prefix in nextHopClaims.owners(id) where routes.seen(prefix) == .nextHop(id) {
                if routes.see(prefix, nil) { drifted.append(.route(prefix)) }
            }
        }
        return drifted
    }

    /// Whether the kernel lacks it, or has what should not be.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package func isPending(_ key: EntryKey<Address>) -> Bool {
        switch key {
        case .neighbor(let key): neighbors.isPending(key)
        case .fdb(let key): fdb.isPending(key)
        case .nextHop(let key): nextHops.isPending(key)
        case .route(let key): routes.isPending(key)
        }
    }

    /// An operation succeeded.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
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

    /// Whether a plan has everything that is pending, each once. What was held back is pending without being in it;
    /// where a route is in another's way, the plan has more.
    package func isWhole(_ plan: [Operation<Address>]) -> Bool {
        plan.count == pendingCount && !Address.refusesRoutedGateways
    }

    /// A whole plan was applied, but for the operations with those keys: the same as ``done(_:)`` of each of the others.
    @specialized(where Address == IPv4Address)
    package mutating func settleAll(except failed: Set<EntryKey<Address>>) {
        var (neighbors, fdb): (Set<Address>, Set<MACAddress>) = ([], [])
        var (nextHops, routes): (Set<NextHopID>, Set<Prefix<Address>>) = ([], [])
        for key in failed {
            switch key {
            case .neighbor(let key): neighbors.insert(key)
            case .fdb(let key): fdb.insert(key)
            case .nextHop(let key): nextHops.insert(key)
            case .route(let key): routes.insert(key)
            }
        }
        self.neighbors.settleAll(except: neighbors)
        self.fdb.settleAll(except: fdb)
        self.nextHops.settleAll(except: nextHops)
        self.routes.settleAll(except: routes)
    }
}
