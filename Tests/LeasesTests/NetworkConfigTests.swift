// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@Suite struct NetworkConfigTests {
    private func fields(_ change: (inout NetworkConfigFields) -> Void = { _ in }) -> NetworkConfigFields {
        var fields = NetworkConfigFields()
        fields.network = "10.244.0.0/16"
        change(&fields)
        return fields
    }

    @Test func `a config that can't be used names its key and what to do`() {
        let error = NetworkConfigError(field: "Network", reason: "is missing")
        let invalid = ConfigReading.invalid(error).problem(at: "/p/config") ?? ""
        #expect(invalid.contains("at /p/config in etcd can't be used: Network is missing; "))
        #expect(invalid.hasSuffix("'tartan network set'"))
        #expect(ConfigReading.missing.problem(at: "/p/config")?.contains("at /p/config in etcd; write it") == true)
    }

    @Test func `flannel's defaults are filled in`() throws {
        let config = try NetworkConfig(fields())
        #expect(config.ipv4.subnetLength == 24)
        #expect(config.ipv4.range.first.description == "10.244.1.0/24")
        #expect(config.ipv4.range.last.description == "10.244.255.0/24")
        #expect(config.subnetCount == 255)
        #expect(config.backend == .vxlan(VXLANConfig(vni: 1, port: 8472)))
        #expect(config.ipv6 == nil)
    }

    @Test func `a network smaller than a 22 is cut into quarters`() throws {
        let config = try NetworkConfig(fields { $0.network = "10.244.0.0/24" })
        #expect(config.ipv4.subnetLength == 26)
        #expect(config.ipv4.range.first.description == "10.244.0.64/26")
        #expect(config.ipv4.range.last.description == "10.244.0.192/26")
    }

    @Test func `dual stack gets its second range`() throws {
        let config = try NetworkConfig(
            fields {
                $0.enableIPv6 = true
                $0.ipv6Network = "fd00:10:244::/48"
            })
        #expect(config.ipv6?.range.first.description == "fd00:10:244:1::/64")
        #expect(config.ipv6?.range.last.description == "fd00:10:244:ffff::/64")
    }

    @Test func `each broken field is named`() {
        let cases: [(String, (inout NetworkConfigFields) -> Void)] = [
            ("Network", { $0.network = nil }),
            ("Network", { $0.network = "10.244.0.0" }),
            ("Network", { $0.network = "10.244.0.0/29" }),
            ("EnableIPv4", { $0.enableIPv4 = false }),
            ("SubnetLen", { $0.subnetLength = 31 }),
            ("SubnetLen", { $0.subnetLength = 17 }),
            ("SubnetLen", { $0.subnetLength = -1 }),
            ("SubnetMin", { $0.subnetMin = "10.245.0.0" }),
            ("SubnetMin", { $0.subnetMin = "10.244.1.1" }),
            ("SubnetMin", { $0.subnetMin = "x" }),
            ("SubnetMax", { $0.subnetMax = "10.243.0.0" }),
            (
                "SubnetMin",
                {
                    $0.subnetMin = "10.244.9.0"; $0.subnetMax = "10.244.8.0"
                }
            ),
            ("IPv6Network", { $0.enableIPv6 = true }),
            (
                "IPv6SubnetLen",
                {
                    $0.enableIPv6 = true; $0.ipv6Network = "fd00::/48"; $0.ipv6SubnetLength = 48
                }
            ),
            ("Backend.Type", { $0.backendType = "udp" }),
            ("Backend.VNI", { $0.vni = 0 }),
            ("Backend.VNI", { $0.vni = 1 << 24 }),
            ("Backend.Port", { $0.port = 65_536 }),
            ("Backend.MTU", { $0.mtu = 67 }),
        ]
        for (field, change) in cases {
            do {
                let config = try NetworkConfig(fields(change))
                Issue.record("\(field): accepted as \(config)")
            } catch {
                #expect(error.field == field, "\(error)")
            }
        }
    }

    @Test func `a lease is admitted within the range and of its length`() throws {
        let config = try NetworkConfig(
            fields {
                $0.subnetMin = "10.244.16.0"; $0.subnetMax = "10.244.31.0"
            })
        for (text, expected) in [
            ("10.244.16.0/24", true), ("10.244.31.0/24", true), ("10.244.15.0/24", false), ("10.244.32.0/24", false),
            ("10.244.16.0/25", false),
        ] {
            #expect(config.admits(SubnetKey(try IPv4Prefix(parsing: text))) == expected, "\(text)")
        }
    }
}

@Suite struct SubnetKeyTests {
    @Test(arguments: ["10.244.20.0-24", "10.244.20.0-24&fd00:10:244:14::-64"])
    func `flannel's key is read and printed as it was`(text: String) throws {
        #expect(try SubnetKey(parsing: text).description == text)
    }

    @Test(arguments: [
        "", "10.244.20.0", "10.244.20.0/24", "10.244.20.1-24", "10.244.20.0-33", "10.244.20.0-24&",
        "10.244.20.0-24&FD00::-64", "fd00::-64", "10.244.20.0-24&fd00::-64&x",
    ])
    func `any other spelling is refused`(text: String) {
        #expect(throws: AddressParsingError.self) { try SubnetKey(parsing: text) }
    }
}

@Suite struct SubnetFileTests {
    @Test func `the file has flannel's variables in flannel's order`() throws {
        let file = SubnetFile(
            network: try IPv4Prefix(parsing: "10.244.0.0/16"), subnet: try IPv4Prefix(parsing: "10.244.20.0/24"),
            mtu: 1450, masquerade: false)
        #expect(
            file.text == """
                FLANNEL_NETWORK=10.244.0.0/16
                FLANNEL_SUBNET=10.244.20.1/24
                FLANNEL_MTU=1450
                FLANNEL_IPMASQ=false

                """)
        #expect(SubnetFile.rememberedSubnet(in: file.text) == SubnetKey(file.subnet))
    }

    @Test func `dual stack has two more`() throws {
        let file = SubnetFile(
            network: try IPv4Prefix(parsing: "10.244.0.0/16"), subnet: try IPv4Prefix(parsing: "10.244.20.0/24"),
            ipv6Network: try IPv6Prefix(parsing: "fd00:10:244::/48"),
            ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64"), mtu: 1430, masquerade: true)
        #expect(file.text.contains("FLANNEL_IPV6_NETWORK=fd00:10:244::/48\nFLANNEL_IPV6_SUBNET=fd00:10:244:14::1/64\n"))
        #expect(SubnetFile.rememberedSubnet(in: file.text)?.description == "10.244.20.0-24&fd00:10:244:14::-64")
    }

    @Test(arguments: ["", "garbage", "FLANNEL_SUBNET=", "FLANNEL_SUBNET=x/y\nFLANNEL_MTU", "=\n=="])
    func `a file without a subnet is no memory`(text: String) {
        #expect(SubnetFile.rememberedSubnet(in: text) == nil)
    }
}
