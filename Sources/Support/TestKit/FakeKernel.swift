// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Synchronization

/// A ``DataplaneDriver`` over tables in memory that keeps the kernel's rules: no route over a device that is not
/// there or through a next hop that is not there; deleting a next hop deletes its routes; nothing is made twice.
package final class FakeKernel: DataplaneDriver {
    package struct Content: Sendable {
        package var state = DataplaneState<IPv4Address>()
        package var device: VXLANDevice?
        package var operations: [Operation<IPv4Address>] = []
        package var prepareCount = 0
        package var hasNextHops = true
        /// Destinations whose routes the kernel refuses.
        package var refused: Set<IPv4Prefix> = []
        package var deviceError: DataplaneError?
        /// Somebody deletes the device whenever it was prepared, and nobody hears of it.
        package var isDeviceElusive = false
        package var underlay: Underlay
        package var underlayError: DataplaneError?
        /// How the underlay was last asked for.
        package var selection: UnderlaySelection?
        package var addresses: Set<IPv4Address> = []
        package var removedDevices: [String] = []
        /// How many operations were refused.
        package var refusedCount = 0
        /// How often the tables were read.
        package var seenCount = 0
        fileprivate var changes = DataplaneChanges<IPv4Address>()

        package init(underlay: Underlay = FakeKernel.eth0) { self.underlay = underlay }
    }

    package static let eth0 = Underlay(name: "eth0", index: 2, mtu: 1500, address: IPv4Address(192, 168, 0, 1))

    private let content: Mutex<Content>
    package let changeSignals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    package init(underlay: Underlay = FakeKernel.eth0) {
        content = Mutex(Content(underlay: underlay))
        (changeSignals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func read<Result: Sendable>(_ body: (Content) -> Result) -> Result { content.withLock { body($0) } }
    package func change(_ body: (inout Content) -> Void) { content.withLock { body(&$0) } }

    /// Somebody else changes something: the difference is what the notifications say. Without the device its tables
    /// are gone, and with a next hop its routes, of which nothing is said, as in the kernel.
    package func disturb(_ body: (inout Content) -> Void) {
        content.withLock { content in
            let before = content
            body(&content)
            if before.device != nil, content.device == nil { content.state = DataplaneState() }
            content.changes.note(before.state, content.state)
            for case (let id, nil) in content.changes.nextHops {
                content.state.routes = content.state.routes.filter { $0.value != .nextHop(id) }
            }
            if content.device != before.device { content.changes.isDeviceChanged = true }
            if content.underlay != before.underlay || content.underlayError != before.underlayError {
                content.changes.isUnderlayChanged = true
            }
            if content.addresses != before.addresses { content.changes.areAddressesChanged = true }
        }
        signal.yield()
    }

    /// Somebody else changes something, and the notifications of it are lost.
    package func disturbUnheard(_ body: (inout Content) -> Void) {
        content.withLock { content in
            body(&content)
            content.changes.isEverythingStale = true
        }
        signal.yield()
    }

    package func takeChanges() async -> DataplaneChanges<IPv4Address> {
        content.withLock { content in
            defer { content.changes = DataplaneChanges() }
            return content.changes
        }
    }

    package func localAddresses() async throws(DataplaneError) -> Set<IPv4Address> { read { $0.addresses } }

    package func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay {
        change { $0.selection = selection }
        if let error = read({ $0.underlayError }) { throw error }
        return read { $0.underlay }
    }

    package func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress? {
        read { $0.device.flatMap { $0.name == name ? $0.mac : nil } }
    }

    package func prepare(_ device: VXLANDevice) async throws(DataplaneError) {
        if let error = read({ $0.deviceError }) { throw error }
        change {
            // One that was made with something else has new, empty tables.
            if let old = $0.device, (old.name, old.vni, old.port) != (device.name, device.vni, device.port) {
                $0.state = DataplaneState()
            }
            $0.device = $0.isDeviceElusive ? nil : device
            $0.prepareCount += 1
        }
    }

    package func removeDevice(named name: String) async throws(DataplaneError) {
        change { content in
            content.removedDevices.append(name)
            guard content.device?.name == name else { return }
            content.device = nil
            content.state.neighbors = [:]
            content.state.fdb = [:]
            let lost = content.state.nextHops.values.filter { $0.device == .vxlan }.map(\.id)
            for id in lost { _ = Self.apply(.removeNextHop(id), &content) }
            content.state.routes = content.state.routes.filter {
                if case .gateway(_, .vxlan) = $0.value { false } else { true }
            }
        }
    }

    package func supportsNextHops() async throws(DataplaneError) -> Bool { read { $0.hasNextHops } }

    package func seen() async throws(DataplaneError) -> DataplaneState<IPv4Address> {
        content.withLock {
            $0.seenCount += 1
            return $0.state
        }
    }

    package func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure] {
        content.withLock { content in
            operations.enumerated().compactMap { index, operation in
                content.operations.append(operation)
                let answer = content.answersENODEV(to: operation) ? "ENODEV" : Self.apply(operation, &content)
                content.refusedCount += answer == nil ? 0 : 1
                return answer.map {
                    let remedy: DataplaneError.Remedy = ["ENODEV", "EEXIST"].contains($0) ? .resync : .retry
                    return OperationFailure(
                        index: index, error: DataplaneError(remedy: remedy, description: "\(operation): \($0)"))
                }
            }
        }
    }

    /// The tables' own rules, whatever devices there are: `nil` or the name of an error number.
    package static func apply(_ operation: Operation<IPv4Address>, _ content: inout Content) -> String? {
        switch operation {
        case .setNeighbor(let entry): content.state.neighbors[entry.address] = entry.mac
        case .removeNeighbor(let address): content.state.neighbors[address] = nil
        case .setFDBEntry(let entry): content.state.fdb[entry.mac] = entry.destination
        case .removeFDBEntry(let entry): content.state.fdb[entry.mac] = nil
        case .setNextHop(let entry, let replacing):
            guard content.hasNextHops else { return "EOPNOTSUPP" }
            if !replacing, let there = content.state.nextHops[entry.id], there != entry { return "EEXIST" }
            content.state.nextHops[entry.id] = entry
        case .removeNextHop(let id):
            content.state.nextHops[id] = nil
            content.state.routes = content.state.routes.filter { $0.value != .nextHop(id) }
        case .setRoute(let route, let replacing):
            if content.refused.contains(route.destination) { return "EINVAL" }
            if case .gateway(_, .other) = route.path { return "ENODEV" }
            if case .nextHop(let id) = route.path, content.state.nextHops[id] == nil { return "EINVAL" }
            if !replacing, let there = content.state.routes[route.destination], there != route.path { return "EEXIST" }
            content.state.routes[route.destination] = route.path
        case .removeRoute(let route): content.state.routes[route.destination] = nil
        }
        return nil
    }
}

extension FakeKernel.Content {
    /// Whether the operation is over a device that is not there.
    fileprivate func answersENODEV(to operation: Operation<IPv4Address>) -> Bool {
        guard device == nil else { return false }
        return switch operation {
        case .setNeighbor, .setFDBEntry: true
        case .setNextHop(let entry, _): entry.device == .vxlan
        case .setRoute(let route, _):
            if case .gateway(_, .vxlan) = route.path { true } else { false }
        case .removeNeighbor, .removeFDBEntry, .removeNextHop, .removeRoute: false
        }
    }
}

extension DataplaneChanges<IPv4Address> {
    fileprivate mutating func note(_ before: DataplaneState<IPv4Address>, _ after: DataplaneState<IPv4Address>) {
        Self.note(before.neighbors, after.neighbors, &neighbors)
        Self.note(before.fdb, after.fdb, &fdb)
        Self.note(before.nextHops, after.nextHops, &nextHops)
        Self.note(before.routes, after.routes, &routes)
    }

    private static func note<Key: Hashable, Value: Equatable>(
        _ before: [Key: Value], _ after: [Key: Value], _ changes: inout [Key: Value?]
    ) {
        for key in Set(before.keys).union(after.keys) where before[key] != after[key] {
            changes.updateValue(after[key], forKey: key)
        }
    }
}
