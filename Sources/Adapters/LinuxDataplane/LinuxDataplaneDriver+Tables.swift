// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Netlink

extension LinuxDataplaneDriver {
    package func seen() async throws(DataplaneError) -> DataplaneState<IPv4Address> { try await seenTables() }

    package func seenIPv6() async throws(DataplaneError) -> DataplaneState<IPv6Address> { try await seenTables() }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    private func seenTables<Address: TrackedAddress>() async throws(DataplaneError) -> DataplaneState<Address> {
        let devices = devices(Address.self)
        let hasNextHops = try await kernelHasNextHops()
        return try await translating { () async throws(NetlinkError) in
            var state = DataplaneState<Address>()
            if let vxlan = devices.vxlan {
                for table in [Address.neighborTable, .fdb] {
                    let filter = NeighborMessage(table: table, device: vxlan)
                    state = try await self.socket.list(filter, into: state) { $0.take($1) }
                }
            }
            if hasNextHops {
                state = try await self.socket.list(NextHopMessage(), into: state) { $0.take($1, devices) }
            }
            let filter = RouteMessage.filter(ipv6: Address.neighborTable == .ipv6, origin: Self.origin)
            return try await self.socket.list(filter, into: state) { $0.take($1, devices) }
        }
    }

    package func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure] {
        await applyAll(operations)
    }

    package func apply(_ operations: [Operation<IPv6Address>]) async -> [OperationFailure] {
        await applyAll(operations)
    }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    private func applyAll<Address: TrackedAddress>(_ operations: [Operation<Address>]) async -> [OperationFailure] {
        let devices = devices(Address.self)
        var refusals: [BatchFailure] = []
        for failure in await socket.apply(operations, { operation, batch in operation.put(into: &batch, devices) })
        where !operations[failure.index].isSettled(by: failure.error) {
            // Of an operation's two messages the second's answer says what became of it.
            if refusals.last?.index == failure.index { refusals.removeLast() }
            refusals.append(failure)
        }
        guard !refusals.isEmpty else { return [] }
        let occupants = await occupants(refusals.map { ($0.error, operations[$0.index]) })
        let failedNextHops = Set(refusals.compactMap { operations[$0.index].nextHopID })
        return refusals.compactMap { refusal in
            let operation = operations[refusal.index]
            var error = DataplaneError(refusal.error, about: "\(operation)")
            if refusal.error.isExistence {
                guard let clash = occupants.clash(with: operation) else { return nil }
                error = clash
            } else if refusal.error.saysMissingNextHop, !failedNextHops.contains(operation.routeNextHop) {
                // It was there when the plan was made.
                error = DataplaneError(remedy: .resync, description: error.description)
            }
            return OperationFailure(index: refusal.index, error: error)
        }
    }

    /// Who has the places of what could not be added: asked once for all of them, and only where something clashed.
    private func occupants<Address: TrackedAddress>(
        _ refused: [(NetlinkError, Operation<Address>)]
    ) async -> Occupants<Address> {
        var occupants = Occupants<Address>()
        let devices = devices(Address.self)
        for (error, operation) in refused where error.isExistence {
            switch operation {
            case .setRoute where !occupants.knowsRoutes:
                occupants.knowsRoutes = true
                let filter = RouteMessage.filter(ipv6: Address.neighborTable == .ipv6, origin: Self.origin)
                let state = try? await socket.list(filter, into: occupants.ours) { $0.take($1, devices) }
                occupants.ours = state ?? occupants.ours
            case .setNextHop where !occupants.knowsNextHops:
                occupants.knowsNextHops = true
                let state = try? await socket.list(NextHopMessage(), into: occupants.ours) { $0.take($1, devices) }
                occupants.ours = state ?? occupants.ours
            default: break
            }
        }
        return occupants
    }
}

/// What of ours is there already, for telling "done before" from "changed meanwhile" and "another program's".
private struct Occupants<Address: TrackedAddress>: Sendable {
    var ours = DataplaneState<Address>()
    var knowsRoutes = false
    var knowsNextHops = false

    /// Why the operation can't be done; `nil`: it is done.
    func clash(with operation: Operation<Address>) -> DataplaneError? {
        switch operation {
        case .setRoute(let route, _):
            guard let path = ours.routes[route.destination] else { break }
            if path == route.path { return nil }
            return changed(operation)
        case .setNextHop(let nextHop, _):
            guard let there = ours.nextHops[nextHop.id] else { break }
            if there == nextHop { return nil }
            return changed(operation)
        case .setNeighbor, .setFDBEntry, .removeNeighbor, .removeFDBEntry, .removeNextHop, .removeRoute: break
        }
        return DataplaneError(
            remedy: .retry,
            description: "\(operation): another program's is there, which is left alone; remove it to let this one in")
    }

    private func changed(_ operation: Operation<Address>) -> DataplaneError {
        DataplaneError(remedy: .resync, description: "\(operation): another one of ours is there")
    }
}

extension Operation {
    /// The next hop that it makes.
    fileprivate var nextHopID: NextHopID? {
        if case .setNextHop(let nextHop, _) = self { nextHop.id } else { nil }
    }

    /// The next hop that its route needs.
    fileprivate var routeNextHop: NextHopID? {
        if case .setRoute(let route, _) = self, case .nextHop(let id) = route.path { id } else { nil }
    }
}

extension Set where Element == NextHopID {
    fileprivate func contains(_ id: NextHopID?) -> Bool { id.map { contains($0) } ?? false }
}

extension NetlinkError {
    /// The kernel's answer to a route through a next hop that it does not have.
    fileprivate var saysMissingNextHop: Bool {
        guard case .refused(.invalid, let text) = cause else { return false }
        return text?.hasPrefix("Nexthop id does not exist") ?? false
    }
}
