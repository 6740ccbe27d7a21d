// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address (RFC 791), four bytes inline.
package struct IPv4Address: BinaryAddress {
    package let bits: UInt32

    @inlinable
    package init(bits: UInt32) { self.bits = bits }

    package init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Strict dotted quad: four decimal numbers from 0 to 255 without leading zeros (a leading zero is octal to some
    /// readers, so it is refused), no spaces.
    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        guard let bits = Self.bits(of: text.utf8) else {
            throw AddressParsingError(text, expected: .ipv4Address)
        }
        self.bits = bits
    }

    /// The same reading over bytes, for callers that have no `String`; `nil` where the text is not an address.
    @inlinable
    package static func bits(of text: some Sequence<UInt8>) -> UInt32? {
        var result: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits > 0 && part == 0 { return nil }
                part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                if part > 255 { return nil }
            case UInt8(ascii: "."):
                if digits == 0 || dots == 3 { return nil }
                result = result << 8 | part
                part = 0
                digits = 0
                dots += 1
            default:
                return nil
            }
        }
        guard dots == 3, digits > 0 else { return nil }
        return result << 8 | part
    }

    package var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }

    package static var expectedPrefix: AddressParsingError.Expected { .ipv4Prefix }

    /// 0.0.0.0, "any address".
    package static var any: Self { Self(bits: 0) }

    package var isLoopback: Bool { bits >> 24 == 127 }
    /// 169.254.0.0/16 (RFC 3927).
    package var isLinkLocal: Bool { bits >> 16 == 0xA9FE }
    /// 224.0.0.0/4 (RFC 5771).
    package var isMulticast: Bool { bits >> 28 == 0xE }
}
