// SPDX-License-Identifier: Apache-2.0

/// A 48-bit MAC address (IEEE 802), inline.
package struct MACAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The address in the low 48 bits, first byte on the wire the most significant; the upper 16 bits are zero.
    package let bits: UInt64

    package init(bits: UInt64) { self.bits = bits & 0xFFFF_FFFF_FFFF }

    /// The six bytes as on the wire; `nil` for any other number of bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        bits = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Six pairs of hexadecimal digits with colons between them.
    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        guard let bits = Self.bits(of: Array(text.utf8)) else {
            throw AddressParsingError(text, expected: .macAddress)
        }
        self.bits = bits
    }

    private static func bits(of text: [UInt8]) -> UInt64? {
        guard text.count == 17 else { return nil }
        var bits: UInt64 = 0
        for (index, byte) in text.enumerated() {
            if index % 3 == 2 {
                guard byte == UInt8(ascii: ":") else { return nil }
            } else {
                guard let digit = hexDigit(byte) else { return nil }
                bits = bits << 4 | UInt64(digit)
            }
        }
        return bits
    }

    package static func < (left: MACAddress, right: MACAddress) -> Bool { left.bits < right.bits }

    /// The six bytes as on the wire.
    package var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * $0)) } }

    /// A group address (IEEE 802 I/G bit): never the address of one interface.
    package var isMulticast: Bool { bits >> 40 & 1 == 1 }

    /// Another one, of the same kind, that is always the same for this one, and this for that.
    package var sibling: Self { Self(bits: bits ^ 1) }

    /// A unicast, locally administered address made of 48 random bits.
    package init(locallyAdministered random: UInt64) {
        self.init(bits: random & ~(0x03 << 40) | 0x02 << 40)
    }

    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(17)
        for byte in bytes {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
