// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPAddressing
import Netlink
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct RouteSocketTests {
    private let namespaces = TestNamespaces()

    private func open(_ name: String) throws -> RouteSocket { try RouteSocket(in: NetworkNamespace(name: name)) }

    @Test func `a namespace is as ip netns makes it, with lo up`() async throws {
        let name = try namespaces.make()
        let link = try #require(try await Command.list(in: name, "ip -j link show dev lo").first)
        #expect((link["flags"] as? [String])?.contains("UP") == true)
        #expect(throws: NetlinkError.self) { try NetworkNamespace.create(name: name) }
        try NetworkNamespace.delete(name: name)
        try NetworkNamespace.delete(name: name)
        #expect(throws: NetlinkError.self) { _ = try NetworkNamespace(name: name) }
    }

    @Test(arguments: ["", ".", "..", "a/b", String(repeating: "x", count: 300)])
    func `a name that is no file name is refused`(name: String) {
        #expect(throws: NetlinkError.self) { try NetworkNamespace.create(name: name) }
        #expect(throws: NetlinkError.self) { try NetworkNamespace.delete(name: name) }
    }

    @Test func `a link that is only looked at is as the kernel tells it when asked`() throws {
        var socket = try NetworkNamespace(name: try namespaces.make()).connect()
        let mac = MACAddress(bits: 0x0200_0000_0009)
        try socket.perform(
            .new, LinkMessage(name: "br0", isUp: true, mac: mac, mtu: 1400, kind: .bridge), [.create, .exclusive])
        let seen = try #require(try socket.look(at: "br0"))
        let told = try socket.get(LinkMessage(name: "br0"))
        #expect((seen.index, seen.isUp, seen.isPromiscuous) == (told.index, told.isUp, told.isPromiscuous))
        #expect((seen.mac, seen.mtu) == (mac, 1400))
        #expect(try socket.look(at: "br1") == nil)
        #expect(try #require(try socket.look(at: "lo")).mac == nil, "no Ethernet")
    }

    @Test func `a pair of links joins two namespaces through a bridge`() async throws {
        let first = try namespaces.make()
        let second = try namespaces.make()
        let socket = try open(first)
        let bridge = try await socket.addBridge("br0")
        #expect(bridge.kind == .bridge && bridge.isUp == true)
        let namespace = try NetworkNamespace(name: second)
        let peer = VETHPeer(name: "eth0", mac: MACAddress(bits: 0x0200_0000_0007), namespace: namespace.descriptor)
        let end = try await socket.addVETH("p1", peer: peer, master: bridge.index)
        try await socket.setUp(end.index)
        try await socket.setMTU(1400, of: bridge.index)
        try await socket.addAddress(.v4(IPv4Address(192, 168, 7, 1)), prefixLength: 24, to: bridge.index)
        try await socket.addAddress(.v4(IPv4Address(192, 168, 7, 1)), prefixLength: 24, to: bridge.index)

        let other = try open(second)
        let eth0 = try #require(try await other.link(named: "eth0"))
        #expect(eth0.mac == peer.mac && eth0.kind == .veth(nil))
        try await other.setUp(eth0.index)
        try await other.addAddress(.v4(IPv4Address(192, 168, 7, 2)), prefixLength: 24, to: eth0.index)
        try await other.addDefaultRoute(via: .v4(IPv4Address(192, 168, 7, 1)))
        let route = try await other.route(to: .v4(IPv4Address(1, 1, 1, 1)))
        #expect(route.device == eth0.index && route.gateway == .v4(IPv4Address(192, 168, 7, 1)))
        #expect(route.preferredSource == .v4(IPv4Address(192, 168, 7, 2)))

        let addresses = try await socket.addresses(of: bridge.index).filter { $0.address?.isIPv4 == true }
        #expect(addresses.map(\.description) == ["address 192.168.7.1/24 dev \(bridge.index)"])
        let ports = try await Command.list(in: first, "ip -j link show master br0")
        #expect(ports.compactMap { $0["ifname"] as? String } == ["p1"])
        let defaults = try await Command.list(in: second, "ip -j route show default")
        #expect(defaults.first?["gateway"] as? String == "192.168.7.1")

        try await socket.removeAddress(.v4(IPv4Address(192, 168, 7, 1)), prefixLength: 24, from: bridge.index)
        try await socket.removeAddress(.v4(IPv4Address(192, 168, 7, 1)), prefixLength: 24, from: bridge.index)
        try await socket.removeLink(named: "p1")
        try await socket.removeLink(named: "p1")
        #expect(try await socket.link(named: "p1") == nil)
        #expect(try await other.link(named: "eth0") == nil)
    }

    @Test func `a link moves to another namespace under another name`() async throws {
        let first = try namespaces.make()
        let second = try namespaces.make()
        let socket = try open(first)
        let link = try await socket.addBridge("br7")
        do {
            try await socket.move(link.index, to: NetworkNamespace(name: second), name: "eth9")
            Issue.record("a bridge does not move")
        } catch {
            #expect(error.number == .invalid)
        }
        let end = try await socket.addVETH("a0", peer: VETHPeer(name: "a1"))
        try await socket.move(end.index, to: NetworkNamespace(name: second), name: "eth9")
        #expect(try await socket.link(named: "a0") == nil)
        #expect(try await open(second).link(named: "eth9") != nil)
    }

    @Test func `a vxlan device carries the four kinds of entries`() async throws {
        let name = try namespaces.make()
        let socket = try open(name)
        let bridge = try await socket.addBridge("br0")
        let settings = VXLANSettings(
            vni: 42, port: 8472, local: .v4(IPv4Address(192, 168, 7, 1)), underlay: bridge.index, gbp: true)
        let mac = MACAddress(bits: 0x0200_0000_0001)
        let device = try await socket.addVXLAN("vx0", settings, mac: mac, mtu: 1400)
        #expect(device.kind == .vxlan(settings) && device.mac == mac && device.mtu == 1400)
        var change = LinkMessage(index: device.index)
        change.ipv6AddressGeneration = LinkMessage.AddressGeneration.none
        try await socket.change(change)
        try await socket.setUp(device.index)

        let gateway = IPAddress.v4(IPv4Address(10, 244, 20, 0))
        let peer = MACAddress(bits: 0x0200_0000_0002)
        try await socket.setNeighbor(NeighborMessage(address: gateway, mac: peer, device: device.index))
        try await socket.setNeighbor(
            NeighborMessage(fdb: peer, destination: .v4(IPv4Address(192, 168, 7, 2)), device: device.index))
        try await socket.addNextHop(
            NextHopMessage(id: 7, gateway: gateway, device: device.index, origin: .init(rawValue: 116), isOnLink: true))
        try await socket.addRoute(
            RouteMessage(destination: gateway, prefixLength: 24, nextHop: 7, origin: .init(rawValue: 116)))

        let neighbor = try #require(try await Command.list(in: name, "ip -j neigh show dev vx0").first)
        #expect(neighbor["lladdr"] as? String == "02:00:00:00:00:02" && neighbor["dst"] as? String == "10.244.20.0")
        let fdb = try #require(
            try await Command.list(in: name, "bridge -j fdb show dev vx0").first { $0["mac"] as? String == "\(peer)" })
        #expect(fdb["dst"] as? String == "192.168.7.2")
        let route = try #require(try await Command.list(in: name, "ip -j route show proto 116").first)
        #expect(route["nhid"] as? Int == 7 && route["gateway"] as? String == "10.244.20.0")

        let origin = RouteMessage.Origin(rawValue: 116)
        #expect(try await socket.routes(.filter(origin: origin)).map(\.nextHop) == [7])
        #expect(try await socket.routes(.filter(origin: .static)).isEmpty)
        #expect(try await socket.nextHops(device: device.index).map(\.id) == [7])
        #expect(try await socket.nextHops(device: bridge.index).isEmpty)
        #expect(try await socket.neighbors(.ipv4, device: device.index).map(\.destination) == [gateway])
        #expect(try await socket.neighbors(.fdb, device: device.index).contains { $0.mac == peer })

        try await socket.removeNextHop(7)
        try await socket.removeNextHop(7)
        #expect(try await socket.routes(.filter(origin: origin)).isEmpty)
    }

    @Test func `an error names the thing, the number and the kernel's own words`() async throws {
        let socket = try open(try namespaces.make())
        let route = RouteMessage(
            destination: .v4(IPv4Address(10, 9, 0, 0)), prefixLength: 24, gateway: .v4(IPv4Address(10, 8, 0, 1)))
        do {
            try await socket.addRoute(route)
            Issue.record("there is no way to that gateway")
        } catch {
            #expect(
                error.description
                    == "route 10.9.0.0/24 via 10.8.0.1: ENETUNREACH (kernel: Nexthop has invalid gateway)")
        }
    }

    @Test func `in a batch of thousands a bad message fails alone, and sends are few`() async throws {
        let name = try namespaces.make()
        let socket = try open(name)
        let bridge = try await socket.addBridge("br0")
        let before = await socket.sendCount
        let device = bridge.index
        let failures = await socket.apply(Array(0..<3000)) { number, batch in
            let isBad = number % 1000 == 500
            let message = NeighborMessage(
                address: .v4(IPv4Address(bits: 0x0A00_0000 + UInt32(number))), mac: MACAddress(bits: 0x0200_0000_0001),
                device: isBad ? 9999 : device)
            batch.add(.new, message, [.create, .replace])
        }
        #expect(failures.map(\.index) == [500, 1500, 2500])
        #expect(failures.allSatisfy { $0.error.number == .noDevice })
        #expect(await socket.sendCount - before < 6)
        #expect(try await socket.neighbors(.ipv4, device: device).count { $0.state == .permanent } == 2997)
    }

    @Test func `every message of a large batch may fail, and each is told`() async throws {
        let socket = try open(try namespaces.make())
        let failures = await socket.apply(Array(0..<5000)) { number, batch in
            let route = RouteMessage(
                destination: .v4(IPv4Address(bits: 0x0A00_0000 + UInt32(number))), prefixLength: 32, nextHop: 77)
            batch.add(.new, route, [.create, .exclusive])
        }
        #expect(failures.map(\.index) == Array(0..<5000))
        #expect(failures.allSatisfy { $0.error.description.hasPrefix("EINVAL (kernel: Nexthop id") })
    }

    @Test func `a socket goes on after a request that failed`() async throws {
        let socket = try open(try namespaces.make())
        #expect(try await socket.link(named: "absent0") == nil)
        await #expect(throws: NetlinkError.self) { try await socket.setUp(999) }
        #expect(try await socket.links().map(\.name) == ["lo"])
    }
}

extension IPAddress {
    var isIPv4: Bool { if case .v4 = self { true } else { false } }
}
