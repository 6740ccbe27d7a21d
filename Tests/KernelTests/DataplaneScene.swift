// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import LinuxDataplane
import Netlink
import Synchronization
import Testing

/// A host of its own: a namespace with a bridge that stands in for a network card.
final class DataplaneScene {
    let namespaces = TestNamespaces()
    let name: String
    let socket: RouteSocket
    private(set) var underlayIndex: UInt32 = 0
    let mac = MACAddress(bits: 0x0200_0000_AA01)

    init() async throws {
        name = try namespaces.make()
        socket = try RouteSocket(in: NetworkNamespace(name: name))
        try await addUnderlay()
    }

    func addUnderlay(_ address: IPv4Address = IPv4Address(192, 168, 7, 1)) async throws {
        let link = try await socket.addBridge("eth0")
        try await socket.addAddress(.v4(address), prefixLength: 24, to: link.index)
        underlayIndex = link.index
    }

    func driver(_ nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported) throws -> LinuxDataplaneDriver {
        try LinuxDataplaneDriver(in: NetworkNamespace(name: name), nextHops: nextHops)
    }

    func device(
        _ driver: LinuxDataplaneDriver, config: VXLANConfig = VXLANConfig(), subnet: UInt8 = 1
    ) async throws -> VXLANDevice<IPv4Address> {
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: ["eth0"]))
        return VXLANDevice(
            name: "tartan.1", config: config, mac: mac, underlay: underlay,
            address: IPv4Prefix(host: IPv4Address(10, 244, subnet, 0)))
    }

    /// What the kernel told of while the body ran, whoever changed it.
    func changes(_ body: () async throws -> Void) async throws -> [KernelEvent] {
        let events = Mutex<[KernelEvent]>([])
        let monitor = try NetlinkMonitor(in: NetworkNamespace(name: name)) { event in
            events.withLock { $0.append(event) }
        }
        try await body()
        await monitor.drain()
        return events.withLock { $0 }
    }

    @discardableResult
    func ip(_ line: String) async throws -> String { try await Command.run(in: name, line) }

    func list(_ line: String) async throws -> [[String: Any]] { try await Command.list(in: name, line) }
}
