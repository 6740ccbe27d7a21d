// SPDX-License-Identifier: Apache-2.0

import BenchmarkKit
import Dataplane
import Glibc
import IPAddressing
import Leases
import LinuxDataplane
import Netlink

/// A network namespace with an underlay and a VXLAN device without any peer: where one contender shows what it can.
struct Arena {
    let namespace: String
    /// The VXLAN device's index.
    let device: UInt32
    let socket: RouteSocket

    static let deviceName = "tartan.1"

    static func make() async throws -> Arena {
        let name = "tartan-bench-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try NetworkNamespace.create(name: name)
        do {
            let socket = try RouteSocket(in: try NetworkNamespace(name: name))
            let link = try await socket.addVETH("eth0", peer: VETHPeer(name: "wire0"))
            try await socket.setUp(link.index)
            try await socket.addAddress(.v4(IPv4Address(172, 31, 255, 1)), prefixLength: 16, to: link.index)
            _ = try await driver(in: name)
            guard let device = try await socket.link(named: deviceName) else {
                throw BenchmarkError("there is no device \(deviceName) although it was made")
            }
            return Arena(namespace: name, device: device.index, socket: socket)
        } catch {
            try? NetworkNamespace.delete(name: name)
            throw error
        }
    }

    func tearDown() { try? NetworkNamespace.delete(name: namespace) }

    /// The daemon's, with the device made or adopted.
    func driver() async throws -> LinuxDataplaneDriver { try await Self.driver(in: namespace) }

    private static func driver(in namespace: String) async throws -> LinuxDataplaneDriver {
        let driver = try LinuxDataplaneDriver(in: try NetworkNamespace(name: namespace))
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: ["eth0"]))
        try await driver.prepare(
            VXLANDevice(
                name: deviceName, config: VXLANConfig(), mac: MACAddress(locallyAdministered: 0xFFFF_FFFF_FFFF),
                underlay: underlay, address: IPv4Prefix(host: IPv4Address(10, 255, 255, 0))))
        return driver
    }

    /// How many of the peers' entries the kernel has.
    func entries() async throws -> Int {
        let origin = RouteMessage.Origin(rawValue: 116)
        return try await socket.neighbors(.ipv4, device: device).count
            + socket.neighbors(.fdb, device: device).count + socket.nextHops(device: device).count
            + socket.routes(.filter(origin: origin)).count
    }

    /// The time that the body takes on a thread inside the namespace.
    func time(_ body: @escaping @Sendable () -> Int32) throws -> Duration {
        let (result, time) = try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in
            let start = ContinuousClock.now
            let result = body()
            return (result, ContinuousClock.now - start)
        }
        guard result == 0 else { throw BenchmarkError("it failed: \(unsafe String(cString: strerror(result)))") }
        return time
    }
}
