// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText
import Testing

@testable import tartan_cni

/// The result's form in each version of the specification.
@Suite struct ResultTests {
    private var result: AddResult {
        var result = AddResult()
        result.interfaces = [
            .init(name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001), mtu: 1400, sandbox: "/run/netns/p")
        ]
        result.addresses = [
            .init(
                address: AddressWithLength(.v4(IPv4Address(10, 1, 2, 3)), length: 24),
                gateway: .v4(IPv4Address(10, 1, 2, 1)), interface: 0)
        ]
        var route = PodRoute(destination: .everythingIPv4, gateway: .v4(IPv4Address(10, 1, 2, 1)))
        route.mtu = 1300
        route.priority = 7
        result.routes = [route]
        result.dns.nameservers = ["10.1.2.1"]
        result.dns.domain = "example"
        return result
    }

    @Test(arguments: [SpecVersion.v0_3_0, .v0_3_1, .v0_4_0])
    func `before 1_0_0 an address says its family`(version: SpecVersion) throws {
        let text = """
            {"cniVersion":"\(version.rawValue)","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01",\
            "sandbox":"/run/netns/p"}],"ips":[{"version":"4","interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"}],\
            "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1"}],"dns":{"nameservers":["10.1.2.1"],"domain":"example"}}
            """
        #expect(try result.json(version) == JSONValue(text))
    }

    @Test func `1_0_0 has no family`() throws {
        #expect(result.json(.v1_0_0)["ips"]?[0]?["version"] == nil)
        #expect(result.json(.v1_0_0)["interfaces"]?[0]?["mtu"] == nil)
    }

    @Test func `1_1_0 has MTUs and the route's priority`() throws {
        let json = result.json(.v1_1_0)
        #expect(json["interfaces"]?[0]?["mtu"] == .number("1400"))
        #expect(
            try json["routes"] == JSONValue(#"[{"dst":"0.0.0.0/0","gw":"10.1.2.1","mtu":1300,"priority":7}]"#))
    }

    @Test(arguments: SpecVersion.allCases)
    func `what is written is read again`(version: SpecVersion) throws {
        var expected = result
        if version < .v1_1_0 {
            expected.interfaces[0].mtu = nil
            expected.routes[0].mtu = nil
            expected.routes[0].priority = nil
        }
        #expect(try AddResult(previous: result.json(version)) == expected)
    }

    @Test func `resolv_conf is read as the resolver reads it`() {
        let dns = DNSSettings(
            resolvConf: """
                # a comment
                nameserver 10.0.0.1
                nameserver fd00::1
                search a.example b.example
                search c.example
                options ndots:5 edns0
                domain
                """)
        #expect(dns.nameservers == ["10.0.0.1", "fd00::1"])
        #expect(dns.search == ["c.example"])
        #expect(dns.options == ["ndots:5", "edns0"])
        #expect(dns.domain == nil)
    }

    @Test func `an error is what the runtime expects`() throws {
        let error = PluginError(.exhausted, "no address", details: "because")
        #expect(
            try error.json("1.0.0")
                == JSONValue(#"{"cniVersion":"1.0.0","code":100,"msg":"no address","details":"because"}"#))
    }
}
