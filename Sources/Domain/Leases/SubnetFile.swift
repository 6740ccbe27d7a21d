// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What the node tells its pods' network plugin: the variables of flannel's `subnet.env`, in flannel's order.
package struct SubnetFile: Hashable, Sendable {
    /// The cluster's network; 0.0.0.0/0 where it has no IPv4, which the file then leaves out.
    package var network: IPv4Prefix
    /// This node's subnet; the file names its first host address, the bridge's. 0.0.0.0/0 as above.
    package var subnet: IPv4Prefix
    package var ipv6Network: IPv6Prefix?
    package var ipv6Subnet: IPv6Prefix?
    /// What a pod's interface may carry, in bytes.
    package var mtu: Int
    /// Whether the daemon masquerades what leaves the cluster.
    package var masquerade: Bool
    /// The subnet belongs to another node now, or was given back: no pod may get an address of it. The one variable that flannel does
    /// not write (`TARTAN_LEASE=lost`), and only in this case.
    package var isLeaseLost = false

    package init(
        network: IPv4Prefix, subnet: IPv4Prefix, ipv6Network: IPv6Prefix? = nil, ipv6Subnet: IPv6Prefix? = nil,
        mtu: Int, masquerade: Bool
    ) {
        self.network = network
        self.subnet = subnet
        self.ipv6Network = ipv6Network
        self.ipv6Subnet = ipv6Subnet
        self.mtu = mtu
        self.masquerade = masquerade
    }

    package var hasIPv4: Bool { subnet != .noIPv4 }

    /// This node's, of each family, for a sentence.
    package var subnets: String {
        ((hasIPv4 ? ["\(subnet)"] : []) + (ipv6Subnet.map { ["\($0)"] } ?? [])).joined(separator: " and ")
    }

    package var text: String {
        var lines: [String] = []
        if hasIPv4 { lines += ["FLANNEL_NETWORK=\(network)", "FLANNEL_SUBNET=\(Self.gateway(of: subnet))"] }
        if let ipv6Network, let ipv6Subnet {
            lines += ["FLANNEL_IPV6_NETWORK=\(ipv6Network)", "FLANNEL_IPV6_SUBNET=\(Self.gateway(of: ipv6Subnet))"]
        }
        lines += ["FLANNEL_MTU=\(mtu)", "FLANNEL_IPMASQ=\(masquerade)"]
        if isLeaseLost { lines.append(Self.lossLine) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let lossLine = "TARTAN_LEASE=lost"

    /// A file's text with the word that the lease of that subnet is lost, and all else as it was; `nil` where it is
    /// not of that subnet, or says so already.
    package static func forfeiting(_ key: SubnetKey, in text: String) -> String? {
        guard let named = rememberedSubnet(in: text), named.subnet == key.subnet,
            named.subnet != .noIPv4 || named.ipv6Subnet == key.ipv6Subnet
        else { return nil }
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.last(where: { $0.hasPrefix("TARTAN_LEASE=") }).map(String.init) != lossLine else { return nil }
        return (lines.map(String.init) + [lossLine]).joined(separator: "\n") + "\n"
    }

    /// The subnet that a file written before names, for finding the node's lease again; `nil` where the text names
    /// none. Everything else in the file is ignored: it is only a memory.
    package static func rememberedSubnet(in text: String) -> SubnetKey? {
        var subnet: IPv4Prefix?
        var ipv6Subnet: IPv6Prefix?
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "FLANNEL_SUBNET": subnet = block(parts[1])
            case "FLANNEL_IPV6_SUBNET": ipv6Subnet = block(parts[1])
            default: break
            }
        }
        return subnet.map { SubnetKey($0, ipv6Subnet: ipv6Subnet) } ?? ipv6Subnet.map { SubnetKey(ipv6Subnet: $0) }
    }

    private static func block<Address>(_ text: Substring) -> Prefix<Address>? {
        guard let (address, length) = try? Prefix<Address>.split(text, separator: "/") else { return nil }
        return Prefix(address, length: length)
    }

    private static func gateway<Address>(of subnet: Prefix<Address>) -> String {
        "\(subnet.address(at: 1) ?? subnet.address)/\(subnet.length)"
    }
}
