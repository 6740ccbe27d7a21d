// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Networks with IPv6, beside IPv4 and alone.
@Suite struct IPv6LeaseTests {
    private func config(hasIPv4: Bool) throws -> NetworkConfig {
        try LeaseFixtures.config(ipv6: "fd00:10:244::/48", hasIPv4: hasIPv4)
    }

    @Test func `a key without IPv4 is written in flannel's form, read back, and overlaps only by its IPv6 subnet`()
        throws
    {
        let text = "0.0.0.0-0&fd00:10:244:14::-64"
        let key = try SubnetKey(parsing: text)
        #expect(key == SubnetKey(ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64")))
        #expect(key.description == text && key.text == "fd00:10:244:14::/64" && key.ipv4Subnet == nil)
        let other = SubnetKey(ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:15::/64"))
        let plain = SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/24"))
        #expect(!key.overlaps(other) && !key.overlaps(plain) && !plain.overlaps(key) && key.overlaps(key))
        #expect(key < other && !(other < key) && key < plain)
    }

    @Test func `a network of IPv6 alone gives every node a subnet of its own`() throws {
        let config = try config(hasIPv4: false)
        #expect(!config.hasIPv4 && config.subnetCount == 65_535)
        var taken: [SubnetKey] = []
        for number in 0..<300 {
            let choice = SubnetChoice(node: NodeID("n\(number)"), wishes: [], past: nil, refusals: 0)
            let key = try #require(choice.pick(in: config, taken: taken)?.key)
            #expect(key.ipv4Subnet == nil && config.admits(key) && !taken.contains { $0.overlaps(key) })
            taken.append(key)
        }
        let again = SubnetChoice(node: NodeID("n7"), wishes: [taken[7]], past: nil, refusals: 0)
        #expect(again.pick(in: config, taken: [])?.key == taken[7])
        #expect(again.pick(in: config, taken: [taken[7]])?.key != taken[7])
    }

    @Test func `a network must have one of the two families`() {
        var fields = NetworkConfigFields()
        fields.enableIPv4 = false
        #expect(throws: NetworkConfigError.self) { try NetworkConfig(fields) }
    }

    @Test func `a node announces a VTEP for each family that network and node both have`() throws {
        func backend(_ config: NetworkConfig, ipv6: Bool = true, ipv4: Bool = true) -> LeaseAnnouncement {
            let identity = NodeIdentity(
                node: NodeID("n1"), publicIP: ipv4 ? LeaseFixtures.publicIP(1) : .any,
                publicIPv6: ipv6 ? LeaseFixtures.publicIPv6(1) : nil, mac: LeaseFixtures.mac(0x10))
            return LeaseHolderStateMachine.announcement(
                of: .init(identity: identity, carriesTraffic: true, ttl: .seconds(60), whenLost: .move), in: config)
        }
        let v4 = VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(0x10))
        let v6 = VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(0x11))
        let dual = backend(try config(hasIPv4: true))
        #expect(dual.backend == .vxlan(ipv4: v4, ipv6: v6) && dual.publicIPv6 == LeaseFixtures.publicIPv6(1))
        #expect(backend(try config(hasIPv4: true), ipv6: false).backend == .vxlan(ipv4: v4, ipv6: nil))
        #expect(backend(try config(hasIPv4: false), ipv4: false).backend == .vxlan(ipv4: nil, ipv6: v6))
        let plain = backend(try LeaseFixtures.config())
        #expect(plain.backend == .vxlan(ipv4: v4, ipv6: nil) && plain.publicIPv6 == nil, "as flannel writes it")
    }

    @Test func `without IPv4 the public IPv6 address says whose a lease is`() throws {
        let mine = try LeaseFixtures.dualLease(nil, "fd00:10:244:14::/64", node: 2)
        let others = try LeaseFixtures.dualLease(nil, "fd00:10:244:15::/64", node: 3)
        let identity = NodeIdentity(
            node: NodeID("n2"), publicIP: .any, publicIPv6: LeaseFixtures.publicIPv6(2), mac: LeaseFixtures.mac(2))
        #expect(identity.find(in: [others, mine]) == .own(mine))
        #expect(identity.isSelf(mine) && identity.relation(to: others) == .none)
        let double = NodeIdentity(
            node: NodeID("n9"), publicIP: .any, publicIPv6: LeaseFixtures.publicIPv6(2), mac: LeaseFixtures.mac(9))
        guard case .conflict(let conflict) = double.find(in: [mine]) else {
            Issue.record("two nodes with one address")
            return
        }
        #expect(conflict.description.contains("fd20::2") && conflict.description.contains("--public-ipv6"))
    }

    @Test func `a node that has got an IPv4 address since knows its lease without one by the IPv6 address`() throws {
        let lease = try LeaseFixtures.dualLease(nil, "fd00:10:244:14::/64", node: 2)
        func identity(ipv6: Int) -> NodeIdentity {
            NodeIdentity(
                node: NodeID("n2"), publicIP: LeaseFixtures.publicIP(2), publicIPv6: LeaseFixtures.publicIPv6(ipv6))
        }
        #expect(identity(ipv6: 2).find(in: [lease]) == .own(lease))
        guard case .conflict = identity(ipv6: 3).find(in: [lease]) else {
            Issue.record("a lease at another address was taken for its own")
            return
        }
    }

    @Test func `a config can't take a family from under a node, nor give it one`() throws {
        let dual = SubnetKey(
            try IPv4Prefix(parsing: "10.244.20.0/24"), ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64"))
        let alone = SubnetKey(ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64"))
        #expect(try config(hasIPv4: true).objection(fromHolderOf: dual) == nil)
        #expect(try config(hasIPv4: false).objection(fromHolderOf: alone) == nil)
        #expect(try config(hasIPv4: false).objection(fromHolderOf: dual)?.field == "EnableIPv4")
        #expect(try config(hasIPv4: true).objection(fromHolderOf: alone)?.field == "EnableIPv4")
    }

    @Test func `a subnet file without IPv4 is read as it was written`() throws {
        let file = SubnetFile(
            network: .noIPv4, subnet: .noIPv4, ipv6Network: try IPv6Prefix(parsing: "fd00:10:244::/48"),
            ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64"), mtu: 1430, masquerade: true)
        #expect(!file.text.contains("FLANNEL_NETWORK") && !file.text.contains("FLANNEL_SUBNET"))
        #expect(try SubnetFile(parsing: file.text) == file)
        #expect(SubnetFile.rememberedSubnet(in: file.text) == SubnetKey(ipv6Subnet: try #require(file.ipv6Subnet)))
        #expect(throws: SubnetFileError.missing(variable: "FLANNEL_NETWORK")) {
            try SubnetFile(parsing: "FLANNEL_MTU=1450\n")
        }
    }
}
