// SPDX-License-Identifier: Apache-2.0

/// An IPv6 address (RFC 4291), sixteen bytes inline.
///
/// In two halves, because a 128-bit number wants to lie on a multiple of sixteen: in a lease, where most have no such
/// address, the gaps would cost more than the addresses.
package struct IPv6Address: BinaryAddress {
    @usableFromInline let high: UInt64
    @usableFromInline let low: UInt64

    @inlinable
    package init(bits: UInt128) {
        high = UInt64(truncatingIfNeeded: bits >> 64)
        low = UInt64(truncatingIfNeeded: bits)
    }

    @inlinable
    package var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// The sixteen bytes in network order; `nil` for any other number of bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(bits: bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
    }

    /// The forms of RFC 4291 section 2.2: groups of one to four hexadecimal digits, at most one `::`, the last 32 bits
    /// also as a dotted quad. No zone (`%eth0`), no brackets, no spaces.
    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        guard let bits = Self.parse(Array(text.utf8)) else {
            throw AddressParsingError(text, expected: .ipv6Address)
        }
        self.init(bits: bits)
    }

    package static var expectedPrefix: AddressParsingError.Expected { .ipv6Prefix }

    /// `::1`.
    package var isLoopback: Bool { bits == 1 }
    /// `fe80::/10` (RFC 4291 section 2.5.6).
    package var isLinkLocal: Bool { bits >> 118 == 0x3FA }
    /// `ff00::/8`.
    package var isMulticast: Bool { bits >> 120 == 0xFF }

    /// The sixteen bytes in network order.
    package var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) } }

    /// The text of RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
    package var description: String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        guard best.count > 1 else { return Self.join(groups[...]) }
        return Self.join(groups[..<best.lowerBound]) + "::" + Self.join(groups[best.upperBound...])
    }

    private static func join(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    private static func parse(_ text: [UInt8]) -> UInt128? {
        let colon = UInt8(ascii: ":")
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var seenGap = false
        var index = 0
        if text.starts(with: [colon, colon]) {
            seenGap = true
            index = 2
        }
        while index < text.count {
            let end = text[index...].firstIndex(of: colon) ?? text.count
            let part = text[index..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == text.count, let quad = IPv4Address.bits(of: part) else { return nil }
                let groups = [UInt16(quad >> 16), UInt16(quad & 0xFFFF)]
                if seenGap { tail += groups } else { head += groups }
                index = end
                break
            }
            guard let group = hexGroup(part) else { return nil }
            if seenGap { tail.append(group) } else { head.append(group) }
            guard end < text.count else {
                index = end
                break
            }
            index = end + 1
            if index < text.count, text[index] == colon {
                guard !seenGap else { return nil }
                seenGap = true
                index += 1
            } else if index == text.count {
                return nil  // a single colon at the end
            }
        }
        let count = head.count + tail.count
        guard seenGap ? count < 8 : count == 8 else { return nil }
        let groups = head + Array(repeating: 0, count: 8 - count) + tail
        return groups.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
    }

    private static func hexGroup(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for byte in text {
            guard let digit = hexDigit(byte) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

/// The value of one hexadecimal digit in ASCII, `nil` for anything else.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
