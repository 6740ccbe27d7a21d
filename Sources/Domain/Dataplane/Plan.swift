// SPDX-License-Identifier: Apache-2.0

extension DataplaneTracker {
    /// The operations that make the kernel as wanted, in a safe order: what a route needs is there before the route,
    /// and goes only after it.
    ///
    /// 1. Routes that nobody wants.
    /// 2. Neighbours, forwarding entries and next hops that are wanted; then routes that are.
    /// 3. Next hops, neighbours and forwarding entries that nobody wants.
    ///
    /// - Parameter removing: whether entries that nobody wants may go: not before the first complete snapshot.
    package func plan(removing: Bool) -> [Operation<Address>] {
        var operations: [Operation<Address>] = []
        if removing {
            operations += routes.pendingRemovals().map { .removeRoute(Route(destination: $0.key, path: $0.seen)) }
        }
        operations += neighbors.pendingUpdates().map { .setNeighbor(Neighbor(address: $0.key, mac: $0.wanted)) }
        operations += fdb.pendingUpdates().map { .setFDBEntry(FDBEntry(mac: $0.key, destination: $0.wanted)) }
        operations += nextHops.pendingUpdates().map { .setNextHop($0.wanted, replacing: $0.seen != nil) }
        operations += routes.pendingUpdates().map {
            .setRoute(Route(destination: $0.key, path: $0.wanted), replacing: $0.seen != nil)
        }
        if removing {
            operations += nextHops.pendingRemovals().map { .removeNextHop($0.key) }
            operations += neighbors.pendingRemovals().map { .removeNeighbor($0.key) }
            operations += fdb.pendingRemovals().map { .removeFDBEntry(FDBEntry(mac: $0.key, destination: $0.seen)) }
        }
        return operations
    }
}
