// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Foundation
import IPAddressing
import LinuxDataplane
import Netlink
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct HostInspectorTests {
    private let namespaces = TestNamespaces()

    private func inspector(_ name: String) throws -> LinuxHostInspector {
        try LinuxHostInspector(in: NetworkNamespace(name: name))
    }

    @Test func `a namespace is seen as it is, not as the process's own`() async throws {
        let name = try namespaces.make()
        for line in [
            "ip link add br0 type bridge", "ip link set br0 up mtu 1400", "ip address add 192.168.7.1/24 dev br0",
            "ip link add vx0 type vxlan id 7 dstport 8473 dev br0 gbp", "ip link set vx0 up",
            "ip link add vx1 type vxlan external dstport 4790",
            "ip route add 10.9.0.0/16 via 192.168.7.2", "ip route add 10.8.0.0/16 via 192.168.7.2 proto 116",
            "ip route add blackhole 10.7.0.0/16", "ip -6 route add fd00:9::/64 dev br0",
        ] { try Command.run(in: name, "sh", "-c", line) }
        let facts = try await inspector(name).facts()
        #expect(facts.forwardsIPv4 == false && facts.forwardsIPv6 == false)
        #expect(facts.supportsVXLAN == true && !facts.kernel.isEmpty)
        #expect(Set(facts.reversePathFilters.keys) == ["all", "default", "lo", "br0", "vx0", "vx1"])
        #expect(facts.udpPorts == [8473])
        let vx0 = try #require(facts.links.first { $0.name == "vx0" })
        #expect(vx0.vxlan == .init(vni: 7, port: 8473, gbp: true) && vx0.isUp && vx0.mtu == 1350)
        #expect(facts.links.first { $0.name == "vx1" }?.vxlan == .init(vni: 0, port: 4790, isExternal: true))
        #expect(facts.links.first { $0.name == "br0" } == .init(name: "br0", mtu: 1400))
        #expect(
            facts.ipv4Routes.map(\.description).sorted() == [
                "10.7.0.0/16", "10.9.0.0/16 via 192.168.7.2 dev br0", "192.168.7.0/24 dev br0",
            ])
        #expect(facts.ipv4Routes.filter(\.isKernels).map(\.device) == ["br0"])
        #expect(facts.ipv6Routes.contains { $0.description == "fd00:9::/64 dev br0" && !$0.isKernels })
    }

    @Test func `a port of a program is seen`() async throws {
        let name = try namespaces.make()
        let inspector = try inspector(name)
        let before = try await inspector.facts().udpPorts
        let ends = [try UDPEnd(in: name, "127.0.0.1"), try UDPEnd(in: name, "::1")]
        #expect(try await inspector.facts().udpPorts == before.union(ends.map(\.port)))
        withExtendedLifetime(ends) {}
    }

    @Test func `forwarding is turned on where it is off, and the underlay still hears of routers`() async throws {
        let name = try namespaces.make()
        try Command.run(in: name, "sh", "-c", "ip link add br0 type bridge; ip link add br1 type bridge")
        let inspector = try inspector(name)
        try await inspector.enableForwarding(ipv6: false, underlay: "br0")
        var facts = try await inspector.facts()
        #expect(facts.forwardsIPv4 == true && facts.forwardsIPv6 == false)
        #expect(try accept(name, "br0") == "1")
        try await inspector.enableForwarding(ipv6: true, underlay: "br0")
        facts = try await inspector.facts()
        #expect(facts.forwardsIPv4 == true && facts.forwardsIPv6 == true)
        #expect(try accept(name, "br0") == "2" && accept(name, "br1") == "1")
    }

    private func accept(_ name: String, _ link: String) throws -> String {
        try Command.run(in: name, "cat", "/proc/sys/net/ipv6/conf/\(link)/accept_ra")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func `chains that drop what is forwarded are found in every table`() async throws {
        let name = try namespaces.make()
        try Command.run(
            in: name, "nft",
            """
            add table ip filter
            add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
            add rule ip filter FORWARD ip saddr 10.0.0.0/8 accept
            add chain ip filter INPUT { type filter hook input priority 0; policy drop; }
            add table inet fw
            add chain inet fw way { type filter hook forward priority 5; policy drop; }
            add chain inet fw other
            add table ip6 filter
            add chain ip6 filter FORWARD { type filter hook forward priority 0; policy accept; }
            add table bridge b
            add chain bridge b FORWARD { type filter hook forward priority 0; policy drop; }
            """)
        let facts = try await inspector(name).facts()
        #expect(
            Set(facts.droppingChains) == [
                .init(family: "ip", table: "filter", name: "FORWARD"), .init(family: "inet", table: "fw", name: "way"),
            ])
    }
}
