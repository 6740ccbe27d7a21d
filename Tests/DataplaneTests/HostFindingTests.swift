// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Testing

@Suite struct HostFindingTests {
    private static let vxlan = HostFacts.VXLAN(vni: 1, port: 8472)

    /// Nothing is wrong with it.
    private var facts: HostFacts {
        var facts = HostFacts()
        facts.kernel = "6.1.0"
        facts.supportsVXLAN = true
        facts.forwardsIPv4 = true
        facts.forwardsIPv6 = true
        facts.reversePathFilters = ["all": 0, "eth0": 2, "tartan.1": 0, "lo": 1]
        facts.udpPorts = [53, 8472]
        facts.links = [
            .init(name: "lo", mtu: 65536), .init(name: "eth0"), .init(name: "tartan.1", mtu: 1450, vxlan: Self.vxlan),
            .init(name: "cni0", mtu: 1450),
        ]
        facts.ipv4Routes = [
            HostRoute(destination: v4("0.0.0.0/0"), gateway: IPv4Address(192, 168, 0, 254), device: "eth0"),
            HostRoute(destination: v4("192.168.0.0/24"), device: "eth0", isKernels: true),
            HostRoute(destination: v4("10.244.1.0/24"), device: "cni0", isKernels: true),
        ]
        facts.ipv6Routes = [
            HostRoute(destination: v6("fd00:244:0:1::/64"), device: "cni0", isKernels: true),
            HostRoute(destination: v6("fe80::/64"), device: "eth0", isKernels: true),
        ]
        return facts
    }

    private func v4(_ text: String) -> IPv4Prefix { (try? IPv4Prefix(parsing: text))! }
    private func v6(_ text: String) -> IPv6Prefix { (try? IPv6Prefix(parsing: text))! }

    private func wanted(
        backend: String = "vxlan", mtu: Int? = nil, underlayMTU: Int = 1500, gbp: Bool = false, ipv6: Bool = true,
        hasIPv6Address: Bool = true
    ) throws -> HostExpectation {
        var fields = NetworkConfigFields()
        fields.network = "10.244.0.0/16"
        if ipv6 {
            fields.enableIPv6 = true
            fields.ipv6Network = "fd00:244::/48"
        }
        fields.backendType = backend
        fields.mtu = mtu
        fields.gbp = gbp
        return HostExpectation(
            config: try NetworkConfig(fields), own: SubnetKey(v4("10.244.1.0/24"), ipv6Subnet: v6("fd00:244:0:1::/64")),
            underlay: Underlay(
                name: "eth0", index: 2, mtu: underlayMTU, address: IPv4Address(192, 168, 0, 1),
                ipv6Address: hasIPv6Address ? v6("fd20::/64").address(at: 1) : nil),
            device: "tartan.1", ipv6Device: "tartan-v6.1")
    }

    private func only(_ findings: [HostFinding]) throws -> HostFinding {
        try #require(findings.count == 1, "\(findings)")
        return findings[0]
    }

    @Test func `nothing is found wrong with a host that is right, nor with one that nothing is known of`() throws {
        #expect(try facts.findings(for: wanted()) == [])
        #expect(try HostFacts().findings(for: wanted()) == [])
    }

    @Test func `a node that only leases needs nothing of its host`() throws {
        var facts = HostFacts()
        facts.forwardsIPv4 = false
        facts.supportsVXLAN = false
        facts.networkd = .init()
        #expect(try facts.findings(for: wanted(backend: "alloc", ipv6: false)) == [])
    }

    @Test func `a kernel without VXLAN is a fault where the network is one`() throws {
        var facts = facts
        facts.supportsVXLAN = false
        let finding = try only(facts.findings(for: wanted()))
        #expect(finding.check == .vxlanSupport && finding.severity == .fault && finding.remedy == "modprobe vxlan")
        #expect(finding.what == "the kernel 6.1.0 has no VXLAN")
        #expect(try facts.findings(for: wanted(backend: "host-gw")) == [])
    }

    @Test func `a port that a program has is a fault, not one that our device has`() throws {
        var facts = facts
        facts.links.removeAll { $0.vxlan != nil }
        let finding = try only(facts.findings(for: wanted()))
        #expect(finding.check == .udpPort && finding.severity == .fault)
        #expect(finding.what == "UDP port 8472 is taken by a program")
        // A device that is down has no socket.
        facts.links.append(.init(name: "tartan.1", isUp: false, vxlan: Self.vxlan))
        #expect(try only(facts.findings(for: wanted())).check == .udpPort)
        facts.udpPorts = [8473]
        #expect(try facts.findings(for: wanted()) == [])
    }

    @Test(arguments: [
        (HostFacts.VXLAN(vni: 1, port: 8472), false, "and VNI 1, as this network"),
        (HostFacts.VXLAN(vni: 0, port: 8472, isExternal: true), false, "for every VNI"),
        (HostFacts.VXLAN(vni: 2, port: 8472, gbp: true), false, "with GBP, unlike this network"),
        (HostFacts.VXLAN(vni: 2, port: 8472), true, "without GBP, unlike this network"),
        (HostFacts.VXLAN(vni: 2, port: 8472), false, nil), (HostFacts.VXLAN(vni: 1, port: 4789), false, nil),
    ])
    func `another's device is a fault where it takes our packets`(
        device: HostFacts.VXLAN, gbp: Bool, conflict: String?
    ) throws {
        var facts = facts
        facts.links.append(.init(name: "flannel.1", vxlan: device))
        let findings = try facts.findings(for: wanted(gbp: gbp))
        guard let conflict else {
            #expect(findings == [])
            return
        }
        let finding = try only(findings)
        #expect(finding.check == .vxlanDevice && finding.severity == .fault)
        #expect(finding.what == "the VXLAN device flannel.1 has UDP port 8472 \(conflict)")
        #expect(finding.remedy == "ip link delete flannel.1")
    }

    @Test func `what is in the way of IPv6 alone is found, and only where the network has it`() throws {
        #expect(try only(facts.findings(for: wanted(hasIPv6Address: false))).check == .ipv6)
        #expect(try facts.findings(for: wanted(ipv6: false, hasIPv6Address: false)) == [])
        var off = facts
        off.ipv6Disabled = ["all": false, "default": true, "eth0": false]
        let finding = try only(off.findings(for: wanted()))
        #expect(finding.check == .ipv6 && finding.remedy == "sysctl -w net/ipv6/conf/default/disable_ipv6=0")
        var advertised = facts
        advertised.advertisedDefaults = ["eth0", "eth1"]
        advertised.routerAdvertisements = ["eth0": 2, "eth1": 1]
        let warning = try only(advertised.findings(for: wanted()))
        #expect(warning.check == .routerAdvertisements && warning.severity == .warning)
        #expect(warning.remedy == "sysctl -w net/ipv6/conf/eth1/accept_ra=2")
    }

    @Test(
        arguments: [
            (nil, 1500, true, nil), (nil, 1300, true, "a pod's MTU would be 1230"), (nil, 1300, false, nil),
            (nil, 600, false, "a pod's MTU would be 550"), (1500, 1500, true, nil),
            (1501, 1500, true, "the network's MTU of 1501 exceeds the 1500 of eth0"),
            (1300, 1500, true, "a pod's MTU would be 1230"),
        ] as [(Int?, Int, Bool, String?)])
    func `an MTU must fit, and not be too small`(mtu: Int?, underlay: Int, ipv6: Bool, what: String?) throws {
        let findings = try facts.findings(for: wanted(mtu: mtu, underlayMTU: underlay, ipv6: ipv6))
        #expect(findings.map(\.what) == [what].compactMap(\.self))
        #expect(findings.allSatisfy { $0.check == .mtu && $0.severity == .fault })
    }

    @Test(
        arguments: [
            (
                "10.244.7.0/24", nil, "cni1", true, HostFinding.Severity.fault,
                "ip address show dev cni1 # and take the address away"
            ),
            (
                "10.244.7.0/24", "10.244.7.0", "flannel.1", false, .fault,
                "ip route delete 10.244.7.0/24 via 10.244.7.0 dev flannel.1"
            ),
            ("10.244.0.0/16", nil, nil, false, .fault, "ip route delete 10.244.0.0/16"),
            ("10.0.0.0/8", "192.168.0.9", "eth0", false, .warning, "tartan network set # with another Network"),
            ("10.244.128.0/17", nil, "eth0", true, .fault, "tartan network set # with another Network"),
            ("10.0.0.0/8", nil, "eth0", true, .fault, "tartan network set # with another Network"),
            ("10.244.1.128/25", nil, "veth1", true, nil, ""), ("10.244.7.0/24", nil, "tartan.1", false, nil, ""),
            ("10.245.0.0/16", nil, "docker0", true, nil, ""),
        ] as [(String, String?, String?, Bool, HostFinding.Severity?, String)])
    func `a route that overlaps the cluster's network is found`(
        destination: String, gateway: String?, device: String?, isKernels: Bool, severity: HostFinding.Severity?,
        remedy: String
    ) throws {
        var facts = facts
        facts.ipv4Routes.append(
            HostRoute(
                destination: v4(destination), gateway: try gateway.map { try IPv4Address(parsing: $0) }, device: device,
                isKernels: isKernels))
        let findings = try facts.findings(for: wanted())
        guard let severity else {
            #expect(findings == [])
            return
        }
        let finding = try only(findings)
        #expect(finding.check == .overlappingRoute && finding.severity == severity && finding.remedy == remedy)
    }

    @Test func `a route of IPv6 that overlaps is found too`() throws {
        var facts = facts
        facts.ipv6Routes.append(HostRoute(destination: v6("fd00:244:0:7::/64"), device: "old0"))
        #expect(
            try only(facts.findings(for: wanted())).remedy == "ip -6 route delete fd00:244:0:7::/64 dev old0")
        #expect(try facts.findings(for: wanted(ipv6: false)) == [])
    }

    @Test func `a host that does not forward is at fault`() throws {
        var facts = facts
        facts.forwardsIPv4 = false
        facts.forwardsIPv6 = false
        #expect(
            try facts.findings(for: wanted()).map(\.remedy) == [
                "sysctl -w net.ipv4.ip_forward=1", "sysctl -w net.ipv6.conf.all.forwarding=1",
            ])
        #expect(try only(facts.findings(for: wanted(ipv6: false))).severity == .fault)
    }

    @Test(arguments: [
        (0, 0, false), (1, 0, true), (0, 1, true), (2, 1, false), (1, 2, false), (0, 2, false),
    ])
    func `the larger of an interface's filter and that of all is the one that counts`(
        own: Int, all: Int, isStrict: Bool
    ) throws {
        var facts = facts
        facts.reversePathFilters = ["all": all, "eth0": own, "tartan.1": 2]
        let findings = try facts.findings(for: wanted())
        #expect(findings.map(\.remedy) == (isStrict ? ["sysctl -w net/ipv4/conf/eth0/rp_filter=2"] : []))
        #expect(findings.allSatisfy { $0.check == .reversePathFilter && $0.severity == .warning })
    }

    @Test func `a policy of drop is explained, with br_netfilter's part in it`() throws {
        var facts = facts
        facts.droppingChains = [.init(family: "ip", table: "filter", name: "FORWARD")]
        var finding = try only(facts.findings(for: wanted()))
        #expect(finding.check == .forwardPolicy && finding.severity == .warning && !finding.why.contains("bridge"))
        #expect(
            finding.remedy
                == "iptables -I FORWARD -s 10.244.0.0/16 -j ACCEPT && iptables -I FORWARD -d 10.244.0.0/16 -j ACCEPT")
        facts.bridgesThroughIPTables = true
        finding = try only(facts.findings(for: wanted()))
        #expect(finding.why.hasSuffix("and with bridge-nf-call-iptables also those between pods of this node"))

        facts.droppingChains = [.init(family: "inet", table: "fw", name: "fwd")]
        finding = try only(facts.findings(for: wanted()))
        #expect(
            finding.remedy
                == "nft insert rule inet fw fwd ip saddr 10.244.0.0/16 accept && "
                + "nft insert rule inet fw fwd ip daddr 10.244.0.0/16 accept && "
                + "nft insert rule inet fw fwd ip6 saddr fd00:244::/48 accept && "
                + "nft insert rule inet fw fwd ip6 daddr fd00:244::/48 accept")
        facts.droppingChains = [.init(family: "ip6", table: "filter", name: "FORWARD")]
        #expect(try only(facts.findings(for: wanted())).remedy.hasPrefix("ip6tables -I FORWARD -s fd00:244::/48"))
        #expect(try facts.findings(for: wanted(ipv6: false)) == [])
    }

    @Test func `what the old iptables does can only be noted`() throws {
        var facts = facts
        facts.hasLegacyIPTables = true
        let finding = try only(facts.findings(for: wanted()))
        #expect(finding.severity == .note && finding.remedy == "iptables-legacy -S FORWARD")
    }

    @Test func `a networkd that removes what is not its own is warned of`() throws {
        var facts = facts
        facts.networkd = .init(managesForeignRoutes: false, managesForeignNextHops: false)
        #expect(try facts.findings(for: wanted()) == [])
        facts.networkd?.managesForeignNextHops = true
        let finding = try only(facts.findings(for: wanted()))
        #expect(finding.check == .networkd && finding.severity == .warning)
        #expect(
            finding.what
                == "systemd-networkd removes next hops that it did not make from the interfaces that it manages")
        facts.networkd = .init()
        #expect(try only(facts.findings(for: wanted())).what.contains("routes and next hops"))
    }

    @Test func `the worst stands first`() throws {
        var facts = facts
        facts.hasLegacyIPTables = true
        facts.networkd = .init()
        facts.forwardsIPv4 = false
        #expect(try facts.findings(for: wanted()).map(\.severity) == [.fault, .warning, .note])
    }
}
