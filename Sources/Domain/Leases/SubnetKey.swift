// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What a lease is of: an IPv4 subnet and, in a dual-stack network, the IPv6 subnet that goes with it.
///
/// Its text is flannel's, the last element of the lease's key in etcd: `10.244.20.0-24`, or
/// `10.244.20.0-24&fd00:10:244:14::-64`. In a network without IPv4 it is `0.0.0.0-0&fd00:10:244:14::-64`: the form has
/// no other way to say that there is none.
package struct SubnetKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// ``noIPv4`` where there is none; who compares it with others' wants ``ipv4Subnet``.
    package let subnet: IPv4Prefix
    package let ipv6Subnet: IPv6Prefix?

    package init(_ subnet: IPv4Prefix, ipv6Subnet: IPv6Prefix? = nil) {
        self.subnet = subnet
        self.ipv6Subnet = ipv6Subnet
    }

    /// The lease is of an IPv6 subnet alone.
    package init(ipv6Subnet: IPv6Prefix) { self.init(.noIPv4, ipv6Subnet: ipv6Subnet) }

    /// `nil` in a network without IPv4.
    package var ipv4Subnet: IPv4Prefix? { subnet == .noIPv4 && ipv6Subnet != nil ? nil : subnet }

    /// As people write it: `10.244.20.0/24`, in a network without IPv4 `fd00:10:244:14::/64`.
    package var text: String { ipv4Subnet?.description ?? ipv6Subnet?.description ?? subnet.description }

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

    package static func < (left: Self, right: Self) -> Bool {
        guard left.subnet == right.subnet else { return left.subnet < right.subnet }
        guard let mine = left.ipv6Subnet, let others = right.ipv6Subnet else {
            return left.ipv6Subnet == nil && right.ipv6Subnet != nil
        }
        return mine < others
    }

    package func overlaps(_ other: SubnetKey) -> Bool {
        if let mine = ipv4Subnet, let theirs = other.ipv4Subnet, mine.overlaps(theirs) { return true }
        guard let mine = ipv6Subnet, let theirs = other.ipv6Subnet else { return false }
        return mine.overlaps(theirs)
    }

    package var description: String {
        let first = "\(subnet.address)-\(subnet.length)"
        guard let ipv6Subnet else { return first }
        return "\(first)&\(ipv6Subnet.address)-\(ipv6Subnet.length)"
    }
}

extension IPv4Prefix {
    /// 0.0.0.0/0: in the place of a subnet where there is none.
    package static var noIPv4: Self { Self(.any, length: 0) ?? Self(host: .any) }
}
