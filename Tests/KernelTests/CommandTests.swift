// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import LinuxDataplane
import Netlink
import Testing

/// The lines that a person is shown do what the messages do.
@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct CommandTests {
    private let names = DeviceNames(vxlan: "tartan.1", underlay: "eth0")

    private func scene() async throws -> (DataplaneScene, LinuxDataplaneDriver) {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(try await scene.device(driver))
        return (scene, driver)
    }

    private func type(_ plan: [Dataplane.Operation<IPv4Address>], in scene: DataplaneScene) async throws {
        try await scene.ip(plan.flatMap { $0.commands(names) }.joined(separator: " && "))
    }

    @Test(arguments: [true, false])
    func `a plan that is typed gives the tables that it gives when it is applied`(usesNextHops: Bool) async throws {
        let plan = PeerPlan.additions(1...3, usesNextHops: usesNextHops)
        let (applied, driver) = try await scene()
        #expect(await driver.apply(plan) == [])
        let (typed, second) = try await scene()
        try await type(plan, in: typed)
        let tables = try await second.seen()
        #expect(tables.count == (usesNextHops ? 12 : 9))
        #expect(try await tables == driver.seen())
        _ = applied
    }

    @Test func `the device that is typed is the one that is made, and one that is as it should be needs no line`()
        async throws
    {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        let wanted = try await scene.device(driver)
        #expect(try await driver.look(atDevice: wanted.name) == nil)
        try await scene.ip(
            wanted.commands(from: nil, isUp: false, underlay: "eth0").joined(separator: " && "))
        let there = try #require(try await driver.look(atDevice: wanted.name))
        #expect(there.isUp && wanted.commands(from: there.device, isUp: true, underlay: "eth0").isEmpty)
        // The driver itself finds nothing to change in it: it keeps its index, which a new one would not.
        let socket = try RouteSocket(in: NetworkNamespace(name: scene.name))
        let index = try await socket.link(named: wanted.name)?.index
        try await driver.prepare(wanted)
        #expect(try await socket.link(named: wanted.name)?.index == index)

        try await scene.ip("ip link set \(wanted.name) down mtu 1300 address 02:00:00:00:00:99")
        let changed = try #require(try await driver.look(atDevice: wanted.name))
        let lines = wanted.commands(from: changed.device, isUp: changed.isUp, underlay: "eth0")
        #expect(lines.count == 3)
        try await scene.ip(lines.joined(separator: " && "))
        let mended = try #require(try await driver.look(atDevice: wanted.name))
        #expect(mended == there)
    }

    @Test func `typed removals leave nothing`() async throws {
        let (scene, driver) = try await scene()
        #expect(await driver.apply(PeerPlan.additions(1...3)) == [])
        try await type(PeerPlan.removals(1...3), in: scene)
        #expect(try await driver.seen().count == 0)
    }

    @Test func `a changed entry is replaced, and a direct route names the underlay`() async throws {
        let (scene, driver) = try await scene()
        let gateway = IPv4Address(192, 168, 7, 9)
        let subnet = try IPv4Prefix(parsing: "10.200.1.0/24")
        let id = NextHopID(gateway.bits)
        try await type(PeerPlan.additions(1...1), in: scene)
        try await type(
            [
                .setNextHop(NextHop(id: id, gateway: gateway, device: .underlay), replacing: false),
                .setRoute(Route(destination: subnet, path: .nextHop(id)), replacing: true),
            ], in: scene)
        let seen = try await driver.seen()
        #expect(seen.routes == [subnet: .nextHop(id)] && seen.nextHops[id]?.device == .underlay)
    }
}
