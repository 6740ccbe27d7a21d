// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// What is wrong with a subnet file.
package enum SubnetFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(variable: String)
    case malformed(variable: String, value: String)

    package var description: String {
        switch self {
        case .missing(let variable): "it has no \(variable)"
        case .malformed(let variable, let value): "\(variable)=\(value) is not what belongs there"
        }
    }
}

extension SubnetFile {
    /// Reads what ``text`` writes, or flanneld: a variable a line, in any order; others are ignored, and of two lines
    /// the later counts.
    package init(parsing text: String) throws(SubnetFileError) {
        var values: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        let mtu = try Self.value("FLANNEL_MTU", values)
        guard let bytes = Int(mtu), (68...65_535).contains(bytes) else {
            throw .malformed(variable: "FLANNEL_MTU", value: String(mtu))
        }
        let ipv6Subnet: IPv6Prefix? = try Self.prefix("FLANNEL_IPV6_SUBNET", ifIn: values)
        // Both of them, or neither in a network without IPv4.
        let hasIPv4 = ipv6Subnet == nil || values["FLANNEL_NETWORK"] != nil || values["FLANNEL_SUBNET"] != nil
        self.init(
            network: hasIPv4
                ? try Self.prefix("FLANNEL_NETWORK", try Self.value("FLANNEL_NETWORK", values)) : .noIPv4,
            subnet: hasIPv4 ? try Self.prefix("FLANNEL_SUBNET", try Self.value("FLANNEL_SUBNET", values)) : .noIPv4,
            ipv6Network: try Self.prefix("FLANNEL_IPV6_NETWORK", ifIn: values), ipv6Subnet: ipv6Subnet, mtu: bytes,
            masquerade: values["FLANNEL_IPMASQ"] == "true")
        isLeaseLost = values["TARTAN_LEASE"] == "lost"
    }

    private static func value(
        _ variable: String, _ values: [Substring: Substring]
    ) throws(SubnetFileError) -> Substring {
        guard let value = values[variable[...]] else { throw .missing(variable: variable) }
        return value
    }

    private static func prefix<Address>(
        _ variable: String, ifIn values: [Substring: Substring]
    ) throws(SubnetFileError) -> Prefix<Address>? {
        guard let value = values[variable[...]] else { return nil }
        return try prefix(variable, value)
    }

    /// The block that the address is in: a subnet's variable names the bridge's address in it.
    private static func prefix<Address>(
        _ variable: String, _ value: Substring
    ) throws(SubnetFileError) -> Prefix<Address> {
        guard let (address, length) = try? Prefix<Address>.split(value, separator: "/"),
            let prefix = Prefix(address, length: length)
        else { throw .malformed(variable: variable, value: String(value)) }
        return prefix
    }
}
