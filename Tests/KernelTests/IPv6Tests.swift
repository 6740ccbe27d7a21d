// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Dataplane
import EtcdStore
import IPAddressing
import Leases
import LinuxDataplane
import Netlink
import NodeAgent
import TestKit
import Testing

/// A real reconciler on a real kernel in a network with IPv6: beside IPv4, and alone.
@Suite(.serialized, .enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct IPv6Tests {
    private typealias Agent = ReconcilerScene<LinuxDataplaneDriver>

    private static let ipv6Network = "fd00:10:244::/48"

    /// Peers 1 to 4: three of both families, at 192.168.0.N and fd20::N, and one of IPv4 alone.
    private func leases(hasIPv4: Bool = true) throws -> [Lease] {
        var leases = try (2...4).map { number in
            try LeaseFixtures.dualLease(
                hasIPv4 ? "10.244.\(number).0/24" : nil, "fd00:10:244:\(number)::/64", node: number)
        }
        if hasIPv4 { leases.append(try LeaseFixtures.lease("10.244.9.0/24", node: 9)) }
        return leases
    }

    private func agent(
        _ scene: DataplaneScene, _ nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported
    ) async throws -> Agent {
        let driver = try scene.driver(nextHops)
        return Agent(driver: driver, underlay: try await driver.underlay(UnderlaySelection(interfaces: ["eth0"])))
    }

    private func scene(hasIPv4: Bool = true) async throws -> DataplaneScene {
        let scene = try await DataplaneScene()
        try await scene.ip("ip -6 addr add fd20::1/64 dev eth0 nodad")
        if !hasIPv4 { try await scene.ip("ip -4 addr flush dev eth0") }
        return scene
    }

    private func settled(
        nextHops: LinuxDataplaneDriver.NextHopUse = .whereSupported, hasIPv4: Bool = true, backend: String = "vxlan",
        directRouting: Bool = false, entries: Int? = nil,
        _ body: (DataplaneScene, Agent, [String]) async throws -> Void
    ) async throws {
        let scene = try await scene(hasIPv4: hasIPv4)
        let agent = try await agent(scene, nextHops)
        let each = nextHops == .never ? 3 : 4
        let expected = entries ?? each * (hasIPv4 ? 7 : 3)
        try await agent.run {
            try agent.start(
                try leases(hasIPv4: hasIPv4), own: hasIPv4 ? "10.244.250.0/24" : nil, ipv6: "fd00:10:244:fa::/64",
                config: try LeaseFixtures.config(
                    backend: backend, ipv6: Self.ipv6Network, hasIPv4: hasIPv4, directRouting: directRouting))
            try await agent.eventually("the peers") { agent.status.read { $0.dataplane.present } == expected }
            let tables = try await self.tables(scene)
            try await body(scene, agent, tables)
            #expect(agent.status.read { $0.dataplane.refused } == [])
        }
    }

    /// What iproute2 prints of both devices and of all that is ours.
    private func tables(_ scene: DataplaneScene) async throws -> [String] {
        var commands = ["ip route show proto 116", "ip -6 route show proto 116", "ip nexthop show proto 116"]
        for device in ["tartan.1", "tartan-v6.1"] {
            commands += [
                "ip -o link show dev \(device) | sed 's/^[0-9]*: //' | sed 's/ *$//'",
                "ip -o addr show dev \(device) | sed 's/^[0-9]*: //'", "ip neigh show dev \(device) nud permanent",
                "bridge fdb show dev \(device)",
            ]
        }
        let text = try await scene.ip(commands.map { "\($0) 2>/dev/null" }.joined(separator: "; ") + "; true")
        return text.split(separator: "\n").map(String.init).sorted()
    }

    @Test func `both families are programmed, each on a device of its own over its own underlay`() async throws {
        try await settled { scene, agent, tables in
            let link = try await scene.ip("ip -d link show tartan-v6.1")
            #expect(link.contains("mtu 1430") && link.contains("local fd20::1") && link.contains("dstport 8472"))
            #expect(link.contains("02:00:00:00:00:fb") && link.contains("nolearning"))
            #expect(try await scene.ip("ip -d link show tartan.1").contains("mtu 1450"))
            #expect(try await scene.ip("ip -6 addr show dev tartan-v6.1").contains("fd00:10:244:fa::/128"))
            let routes = try await scene.list("ip -6 -j route show proto 116")
            #expect(routes.map { $0["dst"] as? String } == (2...4).map { "fd00:10:244:\($0)::/64" })
            #expect(routes.allSatisfy { $0["nhid"] != nil && $0["dev"] as? String == "tartan-v6.1" })
            #expect(routes.first?["gateway"] as? String == "fd00:10:244:2::")
            let neighbors = try await scene.list("ip -6 -j neigh show dev tartan-v6.1 nud permanent")
            #expect(
                neighbors.contains {
                    $0["dst"] as? String == "fd00:10:244:2::" && $0["lladdr"] as? String == "02:00:00:00:00:03"
                })
            let fdb = try await scene.list("bridge -j fdb show dev tartan-v6.1")
            #expect(Set(fdb.compactMap { $0["dst"] as? String }) == ["fd20::2", "fd20::3", "fd20::4"])
            let file = try #require(agent.published.last)
            #expect(
                file.text == """
                    FLANNEL_NETWORK=10.244.0.0/16
                    FLANNEL_SUBNET=10.244.250.1/24
                    FLANNEL_IPV6_NETWORK=fd00:10:244::/48
                    FLANNEL_IPV6_SUBNET=fd00:10:244:fa::1/64
                    FLANNEL_MTU=1430
                    FLANNEL_IPMASQ=false

                    """)
        }
    }

    @Test(arguments: [LinuxDataplaneDriver.NextHopUse.whereSupported, .never])
    func `a restart changes nothing, and a peer that left meanwhile goes from both families`(
        nextHops: LinuxDataplaneDriver.NextHopUse
    ) async throws {
        let scene = try await scene()
        let config = try LeaseFixtures.config(ipv6: Self.ipv6Network)
        let each = nextHops == .never ? 3 : 4
        let first = try await agent(scene, nextHops)
        try await first.run {
            try first.start(try leases(), ipv6: "fd00:10:244:fa::/64", config: config)
            try await first.eventually("the peers") { first.status.read { $0.dataplane.present } == 7 * each }
        }
        let before = try await tables(scene)
        let second = try await agent(scene, nextHops)
        let events = try await scene.changes {
            try await second.run {
                try second.start(try leases(), ipv6: "fd00:10:244:fa::/64", config: config)
                try await second.eventually("the subnet file") { second.published.count == 1 }
            }
        }
        #expect(events.isEmpty, "\(events)")
        #expect(try await tables(scene) == before)
        let third = try await agent(scene, nextHops)
        try await third.run {
            try third.start(
                try leases().filter { $0.announcement.node != NodeID("n4") }, ipv6: "fd00:10:244:fa::/64",
                config: config)
            try await third.eventually("a peer less") { third.status.read { $0.dataplane.present } == 5 * each }
        }
        #expect(try await tables(scene).allSatisfy { !$0.contains("fd00:10:244:4:") && !$0.contains("10.244.4.") })
    }

    @Test(arguments: [
        "ip -6 route del fd00:10:244:2::/64", "ip nexthop del id 3758096386",
        "ip -6 neigh del fd00:10:244:2:: dev tartan-v6.1",
        "ip -6 neigh change fd00:10:244:2:: lladdr 02:00:00:00:00:99 dev tartan-v6.1",
        "bridge fdb del 02:00:00:00:00:03 dev tartan-v6.1 self",
        "bridge fdb replace 02:00:00:00:00:03 dev tartan-v6.1 dst fd20::99 self permanent",
        "ip link del tartan-v6.1", "ip link set tartan-v6.1 down", "ip link set tartan-v6.1 mtu 1280",
        "ip -6 addr flush dev tartan-v6.1", "ip link set tartan-v6.1 address 02:00:00:00:00:99",
        "sysctl -qw net.ipv6.conf.tartan-v6/1.disable_ipv6=1 && sysctl -qw net.ipv6.conf.tartan-v6/1.disable_ipv6=0",
    ])
    func `what others change of IPv6 is put back, and IPv4 is not touched`(command: String) async throws {
        try await settled { scene, agent, tables in
            let index = try await scene.socket.link(named: "tartan.1")?.index
            try await scene.ip(command)
            try await agent.eventually("the repair of '\(command)'") { try await self.tables(scene) == tables }
            #expect(try await scene.socket.link(named: "tartan.1")?.index == index)
        }
    }

    @Test func `a peer that leaves takes its entries of both families along, and no others`() async throws {
        try await settled { scene, agent, tables in
            agent.change([.gone(name: "10.244.3.0-24&fd00:10:244:3::-64", at: Revision(200))])
            try await agent.eventually("a peer less") { agent.status.read { $0.dataplane.present } == 20 }
            let now = try await self.tables(scene)
            let gone = Set(tables).subtracting(now)
            #expect(now.count == tables.count - 8 && Set(now).isSubset(of: tables), "\(gone)")
        }
    }

    @Test func `without next-hop objects the routes of IPv6 are classic`() async throws {
        try await settled(nextHops: .never) { scene, agent, tables in
            let routes = try await scene.list("ip -6 -j route show proto 116")
            #expect(routes.count == 3 && routes.allSatisfy { $0["nhid"] == nil })
            #expect(routes.allSatisfy { ($0["flags"] as? [String])?.contains("onlink") == true })
            try await scene.ip("ip -6 route del fd00:10:244:2::/64")
            try await agent.eventually("the repair") { try await self.tables(scene) == tables }
        }
    }

    @Test func `with direct routing, peers on the underlay's network are routed to by their public IPv6 address`()
        async throws
    {
        // Of IPv4 none is on its network: sixteen entries; of IPv6 all three, two entries each.
        try await settled(directRouting: true, entries: 22) { scene, agent, tables in
            let routes = try await scene.list("ip -6 -j route show proto 116")
            #expect(routes.map { $0["gateway"] as? String } == ["fd20::2", "fd20::3", "fd20::4"])
            #expect(routes.allSatisfy { $0["dev"] as? String == "eth0" })
            // Without, they go through VXLAN; the kernel refuses its next hops until the direct routes are gone.
            let without = try LeaseFixtures.config(ipv6: Self.ipv6Network)
            agent.inbox.setConfig(.valid(without))
            try await agent.eventually("VXLAN") { agent.status.read { $0.dataplane.present } == 28 }
            #expect(agent.status.read { $0.dataplane.refused } == [])
            let later = try await scene.list("ip -6 -j route show proto 116")
            #expect(later.allSatisfy { $0["dev"] as? String == "tartan-v6.1" } && later.count == 3)
        }
    }

    @Test func `a network of IPv6 alone needs no IPv4, not even on the underlay`() async throws {
        try await settled(hasIPv4: false) { scene, agent, tables in
            let old = try await scene.ip("ip -o link show")
            #expect(!old.contains("tartan.1"))
            #expect(
                agent.published.last?.text == """
                    FLANNEL_IPV6_NETWORK=fd00:10:244::/48
                    FLANNEL_IPV6_SUBNET=fd00:10:244:fa::1/64
                    FLANNEL_MTU=1430
                    FLANNEL_IPMASQ=false

                    """)
            #expect(agent.status.read { $0.dataplane.problem } == nil)
        }
    }

    @Test func `an underlay without IPv6 leaves IPv4 as it is and promises no IPv6`() async throws {
        let scene = try await DataplaneScene()
        let agent = try await agent(scene)
        try await agent.run {
            try agent.start(
                try leases(), ipv6: "fd00:10:244:fa::/64", config: try LeaseFixtures.config(ipv6: Self.ipv6Network))
            try await agent.eventually("IPv4's peers") { agent.status.read { $0.dataplane.present } == 16 }
            try await agent.eventually("the file") {
                agent.published.last?.ipv6Subnet == nil && agent.published.count == 1
            }
            let links = try await scene.ip("ip -o link show")
            #expect(!links.contains("tartan-v6.1"))
            #expect(agent.log.lines.contains { $0.contains("no global IPv6 address") })
            // An address that comes later is put to use.
            try await scene.ip("ip -6 addr add fd20::1/64 dev eth0 nodad")
            try await agent.eventually("IPv6's peers") { agent.status.read { $0.dataplane.present } == 28 }
            try await agent.eventually("the file") { agent.published.last?.ipv6Subnet != nil }
        }
    }

    @Test(arguments: [
        ("ip -4 addr flush dev eth0", "ip addr add 192.168.7.1/24 dev eth0"),
        ("ip link set eth0 down", "ip link set eth0 up; ip -6 addr add fd20::1/64 dev eth0 nodad"),
        ("ip -6 addr flush dev eth0 scope global", "ip -6 addr add fd20::1/64 dev eth0 nodad"),
    ])
    func `an underlay that loses one family's address for a while keeps it for the lease, the device and the pods`(
        lose: String, restore: String
    ) async throws {
        try await settled { scene, agent, tables in
            let before = agent.status.read { $0.underlay }
            let index = try await scene.socket.link(named: "tartan-v6.1")?.index
            let files = agent.published
            try await scene.ip(lose)
            try await agent.eventually("the complaint") {
                agent.status.read { $0.dataplane.problem }?.contains("has lost its") == true
            }
            #expect(agent.status.read { $0.underlay } == before)
            try await scene.ip(restore)
            try await agent.eventually("peace") { agent.status.read { $0.dataplane.problem } == nil }
            try await agent.eventually("the entries") { try await self.tables(scene) == tables }
            #expect(try await scene.socket.link(named: "tartan-v6.1")?.index == index)
            #expect(agent.published == files && agent.moveCount == 0)
        }
    }

    @Test func `a network that has lost its IPv6 leaves nothing of it behind, also over a restart`() async throws {
        let scene = try await scene()
        let first = try await agent(scene)
        try await first.run {
            try first.start(
                try leases(), ipv6: "fd00:10:244:fa::/64",
                config: try LeaseFixtures.config(backend: "vxlan", ipv6: Self.ipv6Network, directRouting: true))
            try await first.eventually("the peers") { first.status.read { $0.dataplane.present } == 22 }
        }
        let second = try await agent(scene)
        try await second.run {
            try second.start([try LeaseFixtures.lease("10.244.9.0/24", node: 9)])
            try await second.eventually("IPv4 alone") { second.status.read { $0.dataplane.present } == 4 }
            #expect(try await scene.ip("ip -6 route show proto 116") == "")
            #expect(try await scene.ip("ip nexthop show proto 116").contains("via 10.244.9.0"))
            let links = try await scene.ip("ip -o link show")
            #expect(!links.contains("tartan-v6.1"))
        }
    }

    @Test func `a dual-stack lease as flannel writes it is read and programmed`() async throws {
        let value = """
            {"PublicIP":"192.168.7.2","PublicIPv6":"fd20::2","BackendType":"vxlan",\
            "BackendData":{"VNI":1,"VtepMAC":"3a:58:8f:c1:3c:7e"},\
            "BackendV6Data":{"VNI":1,"VtepMAC":"6e:0b:51:a9:20:13"}}
            """
        let lease = Lease(
            key: try SubnetKey(parsing: "10.244.20.0-24&fd00:10:244:14::-64"),
            announcement: try LeaseAnnouncement(json: Array(value.utf8)), kind: .lease(GrantID(7)),
            createRevision: Revision(5), modRevision: Revision(5))
        let scene = try await scene()
        let agent = try await agent(scene)
        try await agent.run {
            try agent.start(
                [lease], ipv6: "fd00:10:244:fa::/64", config: try LeaseFixtures.config(ipv6: Self.ipv6Network))
            try await agent.eventually("the peer") { agent.status.read { $0.dataplane.present } == 8 }
            let tables = try await self.tables(scene)
            #expect(tables.contains { $0.hasPrefix("6e:0b:51:a9:20:13 dst fd20::2 ") })
            #expect(tables.contains { $0.hasPrefix("fd00:10:244:14:: lladdr 6e:0b:51:a9:20:13") })
            #expect(tables.contains { $0.hasPrefix("3a:58:8f:c1:3c:7e dst 192.168.7.2 ") })
        }
    }
}
