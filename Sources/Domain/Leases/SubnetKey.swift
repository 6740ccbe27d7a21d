// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What a lease is of: an IPv4 subnet and, in a dual-stack network, the IPv6 subnet that goes with it.
///
/// Its text is flannel's, the last element of the lease's key in etcd: `10.244.20.0-24`, or
/// `10.244.20.0-24&fd00:10:244:14::-64`.
package struct SubnetKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let subnet: IPv4Prefix
    package let ipv6Subnet: IPv6Prefix?

    package init(_ subnet: IPv4Prefix, ipv6Subnet: IPv6Prefix? = nil) {
        self.subnet = subnet
        self.ipv6Subnet = ipv6Subnet
    }

    /// Reads the canonical text and no other spelling of it, so that two keys in etcd are never one lease.
    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        let parts = text.split(separator: "&", maxSplits: 1, omittingEmptySubsequences: false)
        let (address, length) = try IPv4Prefix.split(parts[0], separator: "-")
        guard let subnet = IPv4Prefix(address, length: length), subnet.address == address else {
            throw AddressParsingError(text, expected: .ipv4Prefix)
        }
        self.subnet = subnet
        guard parts.count == 2 else {
            ipv6Subnet = nil
            return
        }
        let (address6, length6) = try IPv6Prefix.split(parts[1], separator: "-")
        guard let subnet6 = IPv6Prefix(address6, length: length6), subnet6.address == address6 else {
            throw AddressParsingError(text, expected: .ipv6Prefix)
        }
        ipv6Subnet = subnet6
        guard description == text else { throw AddressParsingError(text, expected: .ipv6Prefix) }
    }

    /// The same reading over bytes, for the usual case that comes by the ten thousand: an IPv4 subnet alone. `nil` for
    /// every other text, right or wrong.
    package init?(ipv4Text bytes: ArraySlice<UInt8>) {
        guard let dash = bytes.lastIndex(of: UInt8(ascii: "-")), let bits = IPv4Address.bits(of: bytes[..<dash]) else {
            return nil
        }
        var length = 0
        for digit in bytes[(dash + 1)...] {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9"), length < 10 else { return nil }
            length = length * 10 + Int(digit - UInt8(ascii: "0"))
        }
        let address = IPv4Address(bits: bits)
        let digits = bytes.endIndex - dash - 1
        guard digits == (length < 10 ? 1 : 2), let subnet = IPv4Prefix(address, length: length),
            subnet.address == address
        else { return nil }
        self.init(subnet)
    }

    package static func < (left: Self, right: Self) -> Bool { left.subnet < right.subnet }

    package func overlaps(_ other: SubnetKey) -> Bool {
        if subnet.overlaps(other.subnet) { return true }
        guard let mine = ipv6Subnet, let theirs = other.ipv6Subnet else { return false }
        return mine.overlaps(theirs)
    }

    package var description: String {
        let first = "\(subnet.address)-\(subnet.length)"
        guard let ipv6Subnet else { return first }
        return "\(first)&\(ipv6Subnet.address)-\(ipv6Subnet.length)"
    }
}
