// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The cluster's network as `PREFIX/config` lays it down, checked.
package struct NetworkConfig: Hashable, Sendable {
    /// One family's block and how it is cut into subnets.
    package struct Family<Address: BinaryAddress>: Hashable, Sendable {
        package let network: Prefix<Address>
        /// First and last subnet that are given out, and their length.
        package let range: SubnetAllocator<Address>.Range

        package var subnetLength: Int { Int(range.first.length) }
    }

    /// In a network without IPv4 0.0.0.0/0, cut into one subnet: see ``hasIPv4``.
    package let ipv4: Family<IPv4Address>
    /// In a dual-stack network, or one without IPv4.
    package let ipv6: Family<IPv6Address>?
    package let backend: BackendConfig

    package var network: IPv4Prefix { ipv4.network }

    /// flannel's `EnableIPv4`.
    package var hasIPv4: Bool { ipv4.network != .noIPv4 }

    /// For a sentence: `10.244.0.0/16, 255 subnets of /24`, with IPv6 behind it where there is that.
    package var summary: String {
        var parts = hasIPv4 ? ["\(network), \(subnetCount) subnets of /\(ipv4.subnetLength)"] : []
        if let ipv6 { parts.append("\(ipv6.network), subnets of /\(ipv6.subnetLength)") }
        return parts.joined(separator: "; ")
    }

    /// How many subnets there are to give out, of IPv4 where the network has that.
    package var subnetCount: Int {
        if !hasIPv4, let ipv6 { return max(1, Int(clamping: ipv6.range.lastIndex &+ 1)) }
        return Int(ipv4.range.lastIndex) + 1
    }

    /// Whether the lease is one that this config would give out.
    package func admits(_ key: SubnetKey) -> Bool {
        guard Self.admits(key.subnet, in: ipv4.range) else { return false }
        switch (ipv6, key.ipv6Subnet) {
        case (nil, nil): return true
        case (let family?, let subnet?): return Self.admits(subnet, in: family.range)
        default: return false
        }
    }

    private static func admits<Address>(
        _ subnet: Prefix<Address>, in range: SubnetAllocator<Address>.Range
    ) -> Bool {
        subnet.length == range.first.length && (range.first...range.last).contains(subnet)
    }
}

/// The network config's fields as they were written: the right types, nothing checked yet.
package struct NetworkConfigFields: Hashable, Sendable {
    package var network: String?
    package var subnetLength: Int?
    package var subnetMin: String?
    package var subnetMax: String?
    package var enableIPv4: Bool?
    package var enableIPv6: Bool?
    package var ipv6Network: String?
    package var ipv6SubnetLength: Int?
    package var ipv6SubnetMin: String?
    package var ipv6SubnetMax: String?
    package var backendType: String?
    package var vni: Int?
    package var port: Int?
    package var mtu: Int?
    package var gbp: Bool?
    package var learning: Bool?
    package var directRouting: Bool?

    package init() {}
}
