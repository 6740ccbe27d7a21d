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

/// Routes through a peer's public address: host-gw, and VXLAN with DirectRouting. The kernel drops them with the
/// underlay's link and tells nobody (flannel #1070).
@Suite(.serialized, .enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct DirectRouteTests {
    private typealias Agent = ReconcilerScene<LinuxDataplaneDriver>

    /// Peers at 192.168.7.2 to .4, on the underlay's network, and one at 192.168.9.5.
    private func leases(_ backend: LeaseAnnouncement.Backend?) throws -> [Lease] {
        try [(2, 7), (3, 7), (4, 7), (5, 9)].map { number, network in
            let vxlan = LeaseAnnouncement.Backend.vxlan(
                ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(number)), ipv6: nil)
            return Lease(
                key: SubnetKey(try IPv4Prefix(parsing: "10.244.\(number).0/24")),
                announcement: LeaseAnnouncement(
                    node: NodeID("n\(number)"), owner: .tartan,
                    publicIP: IPv4Address(192, 168, UInt8(network), UInt8(number)), backend: backend ?? vxlan),
                kind: .reservation, createRevision: Revision(Int64(number)), modRevision: Revision(Int64(number)))
        }
    }

    private func run(
        _ backend: String, nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported,
        _ body: (DataplaneScene, Agent) async throws -> Void
    ) async throws {
        let scene = try await DataplaneScene()
        // A port with a cable, so that the cable can be pulled.
        try await scene.ip("ip link add port0 type veth peer name cable0 && ip link set cable0 up")
        try await scene.ip("ip link set port0 master eth0 up")
        let driver = try scene.driver(nextHops)
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: ["eth0"]))
        #expect(underlay.networks.map(\.description) == ["192.168.7.0/24"])
        let agent = Agent(driver: driver, underlay: underlay)
        var fields = NetworkConfigFields()
        fields.network = "10.244.0.0/16"
        fields.backendType = backend
        fields.directRouting = true
        let config = try NetworkConfig(fields)
        try await agent.run {
            try agent.start(try leases(backend == "host-gw" ? .hostGateway : nil), config: config)
            try await agent.eventually("the subnet file") { agent.published.count == 1 }
            try await body(scene, agent)
            #expect(agent.status.read { $0.dataplane.problem } == nil)
        }
    }

    /// Destination and gateway of each of our routes.
    private func routes(_ scene: DataplaneScene) async throws -> [String] {
        try await scene.ip("ip route show proto 116 2>/dev/null || true").split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            let via = words.firstIndex(of: "via").map { " via \(words[$0 + 1]) \(words[$0 + 3])" } ?? ""
            return words[0] + via + (words.contains("linkdown") || words.contains("dead") ? " dead" : "")
        }.sorted()
    }

    private let near = (2...4).map { "10.244.\($0).0/24 via 192.168.7.\($0) eth0" }

    @Test(arguments: [LinuxDataplaneDriver.NextHopUse.whereSupported, .never])
    func `host-gw is a route through each peer, without a device, and the underlay's MTU`(
        nextHops: LinuxDataplaneDriver.NextHopUse
    ) async throws {
        try await run("host-gw", nextHops: nextHops) { scene, agent in
            let found = try await routes(scene)
            #expect(found == near, "a peer that is not one hop away can't be routed to directly")
            let faults = agent.status.read { Array($0.faults.values) }
            #expect(faults.count == 1 && faults[0].contains("192.168.9.5 is on no network"), "\(faults)")
            #expect(try await scene.socket.link(named: "tartan.1") == nil)
            #expect(agent.published.first?.mtu == 1500)
        }
    }

    @Test func `with DirectRouting only a peer beyond the underlay's network is behind VXLAN`() async throws {
        try await run("vxlan") { scene, agent in
            let found = try await routes(scene)
            #expect(found == near + ["10.244.5.0/24 via 10.244.5.0 tartan.1"])
            #expect(try await scene.list("ip -j neigh show dev tartan.1 nud permanent").count == 1)
            #expect(try await scene.ip("bridge fdb show dev tartan.1").split(separator: "\n").count == 1)
        }
    }

    @Test func `a network that the underlay gains is routed directly, and no more when it is lost`() async throws {
        try await run("vxlan") { scene, agent in
            try await scene.ip("ip addr add 192.168.9.1/24 dev eth0")
            let direct = near + ["10.244.5.0/24 via 192.168.9.5 eth0"]
            try await agent.eventually("the direct route") { try await routes(scene) == direct }
            try await scene.ip("ip addr del 192.168.9.1/24 dev eth0")
            let tunnelled = near + ["10.244.5.0/24 via 10.244.5.0 tartan.1"]
            try await agent.eventually("VXLAN again") { try await routes(scene) == tunnelled }
        }
    }

    @Test(
        arguments: ["host-gw", "vxlan"],
        [
            ("ip link set eth0 down", "ip link set eth0 up"),
            ("ip link set cable0 down", "ip link set cable0 up"),
            ("ip addr del 192.168.7.1/24 dev eth0", "ip addr add 192.168.7.1/24 dev eth0"),
        ])
    func `what the kernel drops with its underlay is there again with it`(
        backend: String, flap: (down: String, up: String)
    ) async throws {
        for nextHops in [LinuxDataplaneDriver.NextHopUse.whereSupported, .never] {
            try await run(backend, nextHops: nextHops) { scene, agent in
                let before = try await routes(scene)
                // Oftener than a fight is taken calmly.
                for _ in 0..<5 {
                    try await scene.ip("\(flap.down); \(flap.up)")
                    try await agent.eventually("the routes after a flap") { try await routes(scene) == before }
                }
                try await scene.ip(flap.down)
                let audit = agent.status.read { $0.dataplane.lastAudit }
                try await agent.eventually("a look at the tables, or a complaint") {
                    agent.status.read { $0.dataplane.lastAudit != audit || $0.dataplane.refusedCount > 0 }
                        || flap.down.contains("addr")
                }
                try await scene.ip(flap.up)
                try await agent.eventually("the routes") { try await routes(scene) == before }
                try await agent.eventually("no complaint") {
                    agent.status.read { $0.dataplane.refusedCount == 0 && $0.dataplane.problem == nil }
                }
                #expect(agent.log.count("somebody keeps changing") == 0)
            }
        }
    }
}
