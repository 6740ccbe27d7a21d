// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Dataplane
import IPAddressing
import Leases
import LinuxDataplane
import Netlink
import NodeAgent
import TestKit
import Testing

/// A real reconciler on a real kernel: what others break is put back.
@Suite(.serialized, .enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct KernelDriftTests {
    private typealias Agent = ReconcilerScene<LinuxDataplaneDriver>

    /// Peers 1 to 5 in the kernel, and at rest: our own changes have been told and found to be no drift.
    private func settled(
        nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported, backend: String = "vxlan",
        _ body: (DataplaneScene, Agent, [String]) async throws -> Void
    ) async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver(nextHops)
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: ["eth0"]))
        let agent = Agent(driver: driver, underlay: underlay)
        let entries = nextHops == .never ? 15 : 20
        try await agent.run {
            try agent.start(try (1...5).map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0 + 1) })
            try await agent.eventually("the peers") { agent.status.read { $0.dataplane.present } == entries }
            let tables = try await self.tables(scene)
            #expect(tables.count >= entries)
            try await body(scene, agent, tables)
            #expect(agent.status.read { $0.dataplane.refused } == [])
        }
    }

    /// What iproute2 prints of the device and of all that is ours.
    private func tables(_ scene: DataplaneScene) async throws -> [String] {
        let commands = [
            "ip -o link show dev tartan.1 | sed 's/^[0-9]*: //' | sed 's/ *$//'",
            "ip -o -4 addr show dev tartan.1 | sed 's/^[0-9]*: //'",
            "ip -4 neigh show dev tartan.1 nud permanent", "bridge fdb show dev tartan.1", "ip route show proto 116",
            "ip nexthop show proto 116",
        ]
        let text = try await scene.ip(commands.map { "\($0) 2>/dev/null" }.joined(separator: "; ") + "; true")
        return text.split(separator: "\n").map(String.init).sorted()
    }

    private func expectRepair(
        _ command: String, nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported,
        _ counts: @escaping (RepairCounts) -> Bool
    ) async throws {
        try await settled(nextHops: nextHops) { scene, agent, tables in
            #expect(agent.status.read { $0.dataplane.repairs.total } == 0, "our own changes are no drift")
            try await scene.ip(command)
            try await agent.eventually("the repair of '\(command)'") { try await self.tables(scene) == tables }
            try await agent.eventually("its count") { counts(agent.status.read { $0.dataplane.repairs }) }
        }
    }

    @Test(arguments: [
        "ip neigh del 10.244.2.0 dev tartan.1", "ip neigh change 10.244.2.0 lladdr 02:00:00:00:00:99 dev tartan.1",
        "ip neigh replace 10.244.77.0 lladdr 02:00:00:00:00:99 dev tartan.1 nud permanent",
    ])
    func `a neighbour is put back`(command: String) async throws {
        try await expectRepair(command) { $0.neighbors == 1 && $0.total == 1 }
    }

    @Test(arguments: [
        "bridge fdb del 02:00:00:00:00:03 dev tartan.1 self",
        "bridge fdb replace 02:00:00:00:00:03 dev tartan.1 dst 192.168.7.99 self permanent",
        "bridge fdb replace 02:00:00:00:00:03 dev tartan.1 dst 192.168.0.3 port 4789 self permanent",
        "bridge fdb replace 02:00:00:00:00:03 dev tartan.1 dst 192.168.0.3 vni 99 self permanent",
        "bridge fdb replace 02:00:00:00:00:03 dev tartan.1 dst 192.168.0.3 via lo self permanent",
        "bridge fdb add 02:00:00:00:00:99 dev tartan.1 dst 192.168.7.99 self permanent",
    ])
    func `a forwarding entry is put back`(command: String) async throws {
        try await expectRepair(command) { $0.fdb == 1 && $0.total == 1 }
    }

    @Test(arguments: [
        "ip route del 10.244.2.0/24", "ip route replace 10.244.2.0/24 via 192.168.7.9 dev eth0 proto 116",
        "ip route add 10.244.77.0/24 via 192.168.7.9 dev eth0 proto 116",
    ])
    func `a route is put back`(command: String) async throws {
        try await expectRepair(command) { $0.routes == 1 && $0.total == 1 }
    }

    @Test func `a next hop is put back with its route`() async throws {
        try await expectRepair("ip nexthop del id 183763456") { $0.nextHops == 1 && $0.routes == 1 && $0.total == 2 }
    }

    @Test func `a classic route is put back`() async throws {
        try await expectRepair("ip route del 10.244.2.0/24", nextHops: .never) { $0.routes == 1 && $0.total == 1 }
    }

    @Test(arguments: [
        "ip link del tartan.1", "ip link set tartan.1 down",
        "ip link set tartan.1 down && ip link set tartan.1 up", "ip link set tartan.1 mtu 1280",
        "ip link set tartan.1 address 02:00:00:00:00:99", "ip addr flush dev tartan.1",
        "ip addr add 10.244.99.0/32 dev tartan.1", "ip link set tartan.1 type vxlan learning",
    ])
    func `the device is put back with all that was on it`(command: String) async throws {
        try await expectRepair(command) { $0.device >= 1 }
    }

    @Test func `a repair is there within a tenth of a second, in the median`() async throws {
        try await settled { scene, agent, tables in
            var times: [Duration] = []
            for number in 1...5 {
                let subnet = try IPv4Prefix(parsing: "10.244.\(number).0/24")
                let route = RouteMessage(
                    destination: .v4(subnet.address), prefixLength: 24, origin: .init(rawValue: 116))
                var removal = route
                removal.scope = .nowhere
                let start = ContinuousClock.now
                try await scene.socket.removeRoute(removal)
                try await agent.eventually("the repair") {
                    try await scene.socket.routes(.filter(origin: .init(rawValue: 116))).count == 5
                }
                times.append(start.duration(to: .now))
            }
            #expect(times.sorted()[2] < .milliseconds(100), "\(times)")
        }
    }

    @Test func `a route of another program in the way is left alone, told, and succeeded when it goes`() async throws {
        try await settled { scene, agent, tables in
            try await scene.ip("ip route replace 10.244.2.0/24 via 192.168.7.9 dev eth0")
            try await agent.eventually("the refusal") { agent.status.read { $0.dataplane.refusedCount } == 1 }
            #expect(agent.status.read { $0.dataplane.refused.first?.contains("another program's is there") } == true)
            try await scene.ip("ip route del 10.244.2.0/24")
            try await agent.eventually("the route") { try await self.tables(scene) == tables }
            try await agent.eventually("no refusal") { agent.status.read { $0.dataplane.refusedCount } == 0 }
        }
    }

    @Test func `an underlay that goes and comes back with another index is found again`() async throws {
        try await settled { scene, agent, tables in
            let index = scene.underlayIndex
            try await scene.ip("ip link del eth0")
            try await agent.eventually("the complaint") {
                agent.status.read { $0.dataplane.problem?.contains("eth0") } == true
            }
            #expect(try await scene.socket.link(named: "tartan.1") == nil, "the kernel removes it with its underlay")
            try await scene.ip("ip link add filler type bridge")
            try await scene.addUnderlay()
            #expect(scene.underlayIndex != index)
            try await agent.eventually("everything") { try await self.tables(scene) == tables }
            try await agent.eventually("no complaint") { agent.status.read { $0.dataplane.problem } == nil }
        }
    }

    @Test func `an underlay whose MTU changes gives the device another`() async throws {
        try await settled { scene, agent, _ in
            try await scene.ip("ip link set eth0 mtu 1400")
            try await agent.eventually("the new MTU") {
                try await scene.socket.link(named: "tartan.1")?.mtu == 1350 && agent.published.last?.mtu == 1350
            }
        }
    }

    @Test func `after a restart stale peers go, entries of others stay, and the rest is not touched`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: ["eth0"]))
        let first = Agent(driver: driver, underlay: underlay)
        try await first.run {
            try first.start(try (1...5).map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0 + 1) })
            try await first.eventually("the peers") { first.status.read { $0.dataplane.present } == 20 }
        }
        try await scene.ip("ip route add 10.99.0.0/16 via 192.168.7.9 dev eth0 proto static")
        let again = try scene.driver()
        let second = Agent(driver: again, underlay: try await again.underlay(UnderlaySelection(interfaces: ["eth0"])))
        let events = try await scene.changes {
            try await second.run {
                try second.start(try (1...4).map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0 + 1) })
                try await second.eventually("a peer less") { second.status.read { $0.dataplane.present } == 16 }
                try await second.eventually("the subnet file") { second.published.count == 1 }
            }
        }
        for event in events { #expect("\(event)".contains("10.244.5.0") || "\(event)".contains("00:06"), "\(event)") }
        #expect(try await scene.ip("ip route show proto static").contains("10.99.0.0/16"))
    }
}
