// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import LinuxDataplane
import Logging
import NFTables
import Netlink
import NodeAgent
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct MasqueradeTests {
    private static let masquerade = Masquerade(
        ipv4: .init(
            network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16)!,
            subnet: IPv4Prefix(IPv4Address(10, 244, 1, 0), length: 24)!),
        ipv6: .init(
            network: (try? IPv6Prefix(parsing: "fd00:244::/48"))!,
            subnet: (try? IPv6Prefix(parsing: "fd00:244:0:1::/64"))!))

    private func driver(_ name: String) throws -> LinuxMasqueradeDriver {
        LinuxMasqueradeDriver(in: try NetworkNamespace(name: name))
    }

    @Test func `the table is there once applied, and gone once withdrawn`() async throws {
        let namespaces = TestNamespaces()
        let name = try namespaces.make()
        let driver = try driver(name)
        #expect(try await !driver.has(Self.masquerade))
        try await driver.withdraw()
        try await driver.apply(Self.masquerade)
        #expect(try await driver.has(Self.masquerade))
        try await driver.apply(Self.masquerade)
        #expect(try await driver.has(Self.masquerade))
        let listing = try Command.run(in: name, "nft", "list", "ruleset")
        #expect(
            listing == """
                table inet tartan {
                	chain postrouting {
                		type nat hook postrouting priority srcnat; policy accept;
                		meta mark & 0x00004000 == 0x00004000 return comment "kube-proxy masquerades this itself"
                		ip saddr 10.244.0.0/16 ip daddr 10.244.0.0/16 return comment "inside the cluster"
                		ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random comment "pods to the outside"
                		ip saddr != 10.244.0.0/16 ip daddr 10.244.1.0/24 return comment "outside to own pods"
                		ip saddr != 10.244.0.0/16 ip daddr 10.244.0.0/16 masquerade fully-random comment "outside to others' pods"
                		ip6 saddr fd00:244::/48 ip6 daddr fd00:244::/48 return comment "inside the cluster"
                		ip6 saddr fd00:244::/48 ip6 daddr != ff00::/8 masquerade fully-random comment "pods to the outside"
                		ip6 saddr != fd00:244::/48 ip6 daddr fd00:244:0:1::/64 return comment "outside to own pods"
                		ip6 saddr != fd00:244::/48 ip6 daddr fd00:244::/48 masquerade fully-random comment "outside to others' pods"
                	}
                }

                """)
        // A new process knows what an old one wrote.
        #expect(try await self.driver(name).has(Self.masquerade))
        let ipv4 = Masquerade(ipv4: Self.masquerade.ipv4)
        #expect(try await !driver.has(ipv4))
        try await driver.apply(ipv4)
        #expect(try await driver.has(ipv4))
        #expect(try !Command.run(in: name, "nft", "list", "ruleset").contains("ip6"))
        try await driver.withdraw()
        #expect(try Command.run(in: name, "nft", "list", "ruleset") == "")
    }

    @Test(arguments: [
        "flush ruleset", "delete table inet tartan", "flush table inet tartan", "flush chain inet tartan postrouting",
        "insert rule inet tartan postrouting accept", "add rule inet tartan postrouting counter",
        "add chain inet tartan more", "add set inet tartan s { type ipv4_addr; }",
        "add table inet tartan { flags dormant; }", "chain inet tartan postrouting { policy drop; }",
    ])
    func `whatever others do to the table is noticed and mended, and their own tables stay`(command: String)
        async throws
    {
        let namespaces = TestNamespaces()
        let name = try namespaces.make()
        let driver = try driver(name)
        try await driver.apply(Self.masquerade)
        let changes = try await driver.changes()
        try Command.run(in: name, "nft", command)
        #expect(await Deadline.first(of: changes))
        #expect(try await !driver.has(Self.masquerade))

        let foreign = """
            table inet other {
            	chain postrouting {
            		type nat hook postrouting priority srcnat; policy accept;
            		ip saddr 10.0.0.0/8 counter packets 0 bytes 0 masquerade
            	}
            }
            table ip tartan {
            	chain c {
            	}
            }

            """
        try Command.run(in: name, "nft", foreign)
        try await driver.apply(Self.masquerade)
        #expect(try await driver.has(Self.masquerade))
        #expect(try Command.run(in: name, "nft", "list", "table", "inet", "other").hasPrefix("table inet other {"))
        try await driver.withdraw()
        #expect(try Command.run(in: name, "nft", "list", "ruleset") == foreign)
    }

    @Test func `a flushed table is back at once`() async throws {
        let namespaces = TestNamespaces()
        let name = try namespaces.make()
        let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())
        let masquerader = Masquerader(
            driver: try driver(name), status: status, resync: .seconds(300), withdrawsOnShutdown: false,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await masquerader.run() }
        defer { running.cancel() }
        try await masquerader.prepare(Self.masquerade)
        let second = try driver(name)
        // A repair is one only of what the loop has seen; until then the table is simply written.
        for _ in 0..<100 where status.read({ $0.masquerade.repairs == 0 }) {
            try Command.run(in: name, "nft", "flush ruleset")
            let start = ContinuousClock.now
            while try await !second.has(Self.masquerade) {
                try #require(ContinuousClock.now < start + .seconds(30), "the table did not come back")
            }
        }
        #expect(status.read { $0.masquerade.repairs > 0 && $0.masquerade.problem == nil })
    }

    @Test func `a change of another table is none of ours`() async throws {
        let namespaces = TestNamespaces()
        let name = try namespaces.make()
        let driver = try driver(name)
        let changes = try await driver.changes()
        try Command.run(in: name, "nft", "add table inet other; add chain inet other tartan; delete table inet other")
        // Notifications arrive in order: had the others counted, there would be two elements.
        try Command.run(in: name, "nft", "add table inet tartan")
        #expect(await Deadline.first(of: changes))
        #expect(await !Deadline.first(of: changes, within: .milliseconds(50)))
    }

    @Test func `packets that leave the cluster bear the node's address, those inside it the pod's`() async throws {
        let world = try MasqueradeWorld()
        try await driver(world.node).apply(Self.masquerade)
        for family in MasqueradeWorld.Family.allCases {
            #expect(try world.sender(from: .pod, to: .outside, family) == world.address(of: .node, family))
            #expect(try world.sender(from: .pod, to: .peerPod, family) == world.address(of: .pod, family))
            #expect(try world.sender(from: .outside, to: .pod, family) == world.address(of: .outside, family))
            // Through this node to another's pod.
            #expect(try world.sender(from: .client, to: .peerPod, family) == world.address(of: .node, family))
            #expect(try world.sender(from: .client, to: .outside, family) == world.address(of: .client, family))
        }
        try await driver(world.node).withdraw()
        #expect(try world.sender(from: .pod, to: .outside, .ipv4) == world.address(of: .pod, .ipv4))
    }

    @Test func `what kube-proxy has marked is left to it`() async throws {
        let world = try MasqueradeWorld()
        try await driver(world.node).apply(Self.masquerade)
        try Command.run(
            in: world.node, "nft",
            "table ip marker { chain c { type filter hook forward priority 0; meta mark set meta mark | 0x4000; }; }")
        #expect(try world.sender(from: .pod, to: .outside, .ipv4) == world.address(of: .pod, .ipv4))
    }
}
