// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Synchronization

/// A ``DataplaneDriver`` over tables in memory that keeps the kernel's rules: no route over a device that is not
/// there or through a next hop that is not there; deleting a next hop deletes its routes; nothing is made twice.
package final class FakeKernel: DataplaneDriver {
    package struct Content: Sendable {
        package var state = DataplaneState<IPv4Address>()
        package var device: VXLANDevice<IPv4Address>?
        package var ipv6State = DataplaneState<IPv6Address>()
        package var ipv6Device: VXLANDevice<IPv6Address>?
        package var ipv6Operations: [Operation<IPv6Address>] = []
        package var ipv6Addresses: Set<IPv6Address> = []
        package var ipv6DeviceError: DataplaneError?
        package var operations: [Operation<IPv4Address>] = []
        package var prepareCount = 0
        package var hasNextHops = true
        /// Destinations whose routes the kernel refuses.
        package var refused: Set<IPv4Prefix> = []
        /// How long a batch takes.
        package var applyTime = Duration.zero
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
        fileprivate var ipv6Changes = DataplaneChanges<IPv6Address>()

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
            if before.ipv6Device != nil, content.ipv6Device == nil { content.ipv6State = DataplaneState() }
            content.changes.note(before.state, &content.state)
            content.ipv6Changes.note(before.ipv6State, &content.ipv6State)
            if content.ipv6Device != before.ipv6Device { content.ipv6Changes.isDeviceChanged = true }
            if content.ipv6Addresses != before.ipv6Addresses { content.changes.areAddressesChanged = true }
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

    package func takeIPv6Changes() async -> DataplaneChanges<IPv6Address> {
        content.withLock { content in
            defer { content.ipv6Changes = DataplaneChanges() }
            return content.ipv6Changes
        }
    }

    package func localAddresses() async throws(DataplaneError) -> Set<IPv4Address> { read { $0.addresses } }

    package func localIPv6Addresses() async throws(DataplaneError) -> Set<IPv6Address> { read { $0.ipv6Addresses } }

    package func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay {
        change { $0.selection = selection }
        if let error = read({ $0.underlayError }) { throw error }
        return read { $0.underlay }
    }

    package func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress? {
        read { $0.device.flatMap { $0.name == name ? $0.mac : nil } }
    }

    package func prepare<Address: DataplaneAddress>(
        _ device: VXLANDevice<Address>
    ) async throws(DataplaneError) {
        if let device = device as? VXLANDevice<IPv4Address> { try prepareIPv4(device) }
        guard let device = device as? VXLANDevice<IPv6Address> else { return }
        if let error = read({ $0.ipv6DeviceError }) { throw error }
        change {
            $0.ipv6Device = device
            $0.prepareCount += 1
        }
    }

    private func prepareIPv4(_ device: VXLANDevice<IPv4Address>) throws(DataplaneError) {
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
            if content.ipv6Device?.name == name {
                content.ipv6Device = nil
                content.ipv6State = DataplaneState()
            }
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

    package func seenIPv6() async throws(DataplaneError) -> DataplaneState<IPv6Address> { read { $0.ipv6State } }

    package func apply(_ operations: [Operation<IPv6Address>]) async -> [OperationFailure] {
        content.withLock { content in
            operations.enumerated().compactMap { index, operation in
                content.ipv6Operations.append(operation)
                return Self.apply(operation, to: &content.ipv6State, hasNextHops: content.hasNextHops).map {
                    OperationFailure(
                        index: index, error: DataplaneError(remedy: .retry, description: "\(operation): \($0)"))
                }
            }
        }
    }

    package func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure] {
        let time = read { $0.applyTime }
        if time > .zero { try? await Task.sleep(for: time) }
        return content.withLock { content in
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

    package static func apply(_ operation: Operation<IPv4Address>, _ content: inout Content) -> String? {
        if case .setRoute(let route, _) = operation, content.refused.contains(route.destination) { return "EINVAL" }
        return apply(operation, to: &content.state, hasNextHops: content.hasNextHops)
    }

    /// The tables' own rules, whatever devices there are: `nil` or the name of an error number.
    package static func apply<Address: DataplaneAddress>(
        _ operation: Operation<Address>, to state: inout DataplaneState<Address>, hasNextHops: Bool = true
    ) -> String? {
        switch operation {
        case .setNeighbor(let entry): state.neighbors[entry.address] = entry.mac
        case .removeNeighbor(let address): state.neighbors[address] = nil
        case .setFDBEntry(let entry): state.fdb[entry.mac] = entry.destination
        case .removeFDBEntry(let entry): state.fdb[entry.mac] = nil
        case .setNextHop(let entry, let replacing):
            guard hasNextHops else { return "EOPNOTSUPP" }
            if !replacing, let there = state.nextHops[entry.id], there != entry { return "EEXIST" }
            if entry.device == .vxlan, isRoutedElsewhere(entry.gateway, state) { return "EINVAL" }
            state.nextHops[entry.id] = entry
        case .removeNextHop(let id):
            state.nextHops[id] = nil
            state.routes = state.routes.filter { $0.value != .nextHop(id) }
        case .setRoute(let route, let replacing):
            if case .gateway(_, .other) = route.path { return "ENODEV" }
            if case .nextHop(let id) = route.path, state.nextHops[id] == nil { return "EINVAL" }
            if !replacing, let there = state.routes[route.destination], there != route.path { return "EEXIST" }
            state.routes[route.destination] = route.path
        case .removeRoute(let route): state.routes[route.destination] = nil
        }
        return nil
    }

    /// What the kernel's IPv6 asks of a gateway on the VXLAN device.
    private static func isRoutedElsewhere<Address: DataplaneAddress>(
        _ gateway: Address, _ state: DataplaneState<Address>
    ) -> Bool {
        guard Address.refusesRoutedGateways else { return false }
        return state.routes.contains { prefix, path in
            guard prefix.contains(gateway) else { return false }
            return switch path {
            case .gateway(_, let device): device != .vxlan
            case .nextHop(let id): state.nextHops[id]?.device != .vxlan
            }
        }
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

extension DataplaneChanges {
    /// With a next hop go its routes, of which nothing is said.
    fileprivate mutating func note(_ before: DataplaneState<Address>, _ after: inout DataplaneState<Address>) {
        Self.note(before.neighbors, after.neighbors, &neighbors)
        Self.note(before.fdb, after.fdb, &fdb)
        Self.note(before.nextHops, after.nextHops, &nextHops)
        Self.note(before.routes, after.routes, &routes)
        for case (let id, nil) in nextHops { after.routes = after.routes.filter { $0.value != .nextHop(id) } }
    }

    private static func note<Key: Hashable, Value: Equatable>(
        _ before: [Key: Value], _ after: [Key: Value], _ changes: inout [Key: Value?]
    ) {
        for key in Set(before.keys).union(after.keys) where before[key] != after[key] {
            changes.updateValue(after[key], forKey: key)
        }
    }
}
