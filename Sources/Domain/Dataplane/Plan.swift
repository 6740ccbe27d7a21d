// SPDX-License-Identifier: Apache-2.0

import IPAddressing

extension DataplaneTracker {
    /// The operations that make the kernel as wanted, in a safe order: what a route needs is there before the route,
    /// and goes only after it.
    ///
    /// 1. Routes that nobody wants.
    /// 2. Forwarding entries, neighbours and next hops that are wanted; then routes that are. A neighbour's new MAC
    ///    address is known to the forwarding database before it is used.
    /// 3. Next hops, neighbours and forwarding entries that nobody wants.
    ///
    /// One exception, in a family whose kernel refuses a next hop on the VXLAN device while its gateway, an address of
    /// the peer's subnet, is routed by another device: such a route goes first, and comes back with the others.
    ///
    /// - Parameters:
    ///   - removing: whether entries that nobody wants may go: not before the first complete snapshot.
    ///   - isHeld: which entries are left out this time.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package func plan(
        removing: Bool, except isHeld: (EntryKey<Address>) -> Bool = { _ in false }
    ) -> [Operation<Address>] {
        var operations: [Operation<Address>] = []
        operations.reserveCapacity(pendingCount)
        func add(_ operation: Operation<Address>) {
            if !isHeld(operation.key) { operations.append(operation) }
        }
        if removing {
            for (key, seen) in routes.pendingRemovals { add(.removeRoute(Route(destination: key, path: seen))) }
        }
        let moved = Address.refusesRoutedGateways ? routesInTheWay(isHeld) : [:]
        for (key, seen) in moved { add(.removeRoute(Route(destination: key, path: seen))) }
        for (key, wanted, _) in fdb.pendingUpdates { add(.setFDBEntry(FDBEntry(mac: key, destination: wanted))) }
        for (key, wanted, _) in neighbors.pendingUpdates { add(.setNeighbor(Neighbor(address: key, mac: wanted))) }
        for (_, wanted, seen) in nextHops.pendingUpdates { add(.setNextHop(wanted, replacing: seen != nil)) }
        for (key, wanted, seen) in routes.pendingUpdates {
            add(.setRoute(Route(destination: key, path: wanted), replacing: seen != nil && moved[key] == nil))
        }
        for (key, seen) in moved where !routes.isPending(key) {
            add(.setRoute(Route(destination: key, path: seen), replacing: false))
        }
        if removing {
            for (key, _) in nextHops.pendingRemovals { add(.removeNextHop(key)) }
            for (key, _) in neighbors.pendingRemovals { add(.removeNeighbor(key)) }
            for (key, seen) in fdb.pendingRemovals { add(.removeFDBEntry(FDBEntry(mac: key, destination: seen))) }
        }
        return operations
    }

    /// The routes by another device to subnets whose next hop is to be on the VXLAN device.
    private func routesInTheWay(_ isHeld: (EntryKey<Address>) -> Bool) -> [Prefix<Address>: Route<Address>.Path] {
        var found: [Prefix<Address>: Route<Address>.Path] = [:]
        for (id, wanted, seen) in nextHops.pendingUpdates where wanted.device == .vxlan && seen?.device != .vxlan {
            for subnet in nextHopClaims.owners(id) where !isHeld(.nextHop(id)) && !isHeld(.route(subnet)) {
                switch routes.seen(subnet) {
                case nil, .gateway(_, .vxlan): continue
                // One by a next hop that is not there any more went with it.
                case .nextHop(let other)? where [nil, .vxlan].contains(nextHops.seen(other)?.device): continue
                case let path?: found[subnet] = path
                }
            }
        }
        return found
    }
}
