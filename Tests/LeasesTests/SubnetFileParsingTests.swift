// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@Suite struct SubnetFileParsingTests {
    @Test func `what is written is read again`() throws {
        var file = SubnetFile(
            network: try IPv4Prefix(parsing: "10.244.0.0/16"), subnet: try IPv4Prefix(parsing: "10.244.20.0/24"),
            mtu: 1450, masquerade: true)
        #expect(try SubnetFile(parsing: file.text) == file)
        file.ipv6Network = try IPv6Prefix(parsing: "fd00:10::/48")
        file.ipv6Subnet = try IPv6Prefix(parsing: "fd00:10:0:14::/64")
        file.masquerade = false
        #expect(try SubnetFile(parsing: file.text) == file)
        file.isLeaseLost = true
        #expect(file.text.hasSuffix("TARTAN_LEASE=lost\n"))
        #expect(try SubnetFile(parsing: file.text) == file)
    }

    @Test func `a lost lease is told in a file of its subnet, which stays as it is otherwise`() throws {
        let key = SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/24"))
        let text = "# mine\nFLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.20.1/24\nFLANNEL_MTU=1450\n"
        let lost = try #require(SubnetFile.forfeiting(key, in: text))
        #expect(lost == text + "TARTAN_LEASE=lost\n")
        #expect(try SubnetFile(parsing: lost).isLeaseLost)
        #expect(SubnetFile.forfeiting(key, in: lost) == nil, "it says so already")
        #expect(SubnetFile.forfeiting(SubnetKey(try IPv4Prefix(parsing: "10.244.21.0/24")), in: text) == nil)
        #expect(SubnetFile.forfeiting(key, in: "") == nil && SubnetFile.forfeiting(key, in: "nonsense") == nil)
    }

    @Test func `what others add is ignored`() throws {
        let text = """
            # written by hand
            FLANNEL_MTU=1450
            FLANNEL_SUBNET=10.244.20.1/24
            OTHER
            FLANNEL_NETWORK=10.244.0.0/16
            SOMETHING=else=yet
            """
        let file = try SubnetFile(parsing: text)
        #expect(file.subnet.description == "10.244.20.0/24")
        #expect(!file.masquerade)
    }

    @Test(arguments: [
        ("FLANNEL_SUBNET", nil), ("FLANNEL_NETWORK", nil), ("FLANNEL_MTU", nil), ("FLANNEL_SUBNET", "10.244.20.1"),
        ("FLANNEL_NETWORK", "all"), ("FLANNEL_MTU", "big"), ("FLANNEL_MTU", "0"), ("FLANNEL_IPV6_SUBNET", "10.0.0.0/8"),
    ])
    func `what is missing or wrong is named`(variable: String, value: String?) throws {
        var values = [
            "FLANNEL_NETWORK": "10.244.0.0/16", "FLANNEL_SUBNET": "10.244.20.1/24", "FLANNEL_MTU": "1450",
            "FLANNEL_IPMASQ": "true",
        ]
        values[variable] = value
        let text = values.map { "\($0.key)=\($0.value)\n" }.joined()
        let error = try #require(throws: SubnetFileError.self) { try SubnetFile(parsing: text) }
        #expect(error.description.contains(variable))
    }
}
