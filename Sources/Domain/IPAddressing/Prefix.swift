// SPDX-License-Identifier: Apache-2.0

/// A block of addresses (RFC 4632): a network address and how many leading bits are fixed.
///
/// Invariant: the bits behind the length are zero, so two equal blocks are equal values.
package struct Prefix<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    /// The block's first address.
    package let address: Address
    /// How many leading bits are fixed, from 0 to the address' width.
    package let length: UInt8

    /// The block of that length which contains the address; `nil` where the length is not within 0...width.
    @inlinable
    package init?(_ address: Address, length: Int) {
        guard (0...Address.Bits.bitWidth).contains(length) else { return nil }
        self.init(masking: address, length: UInt8(length))
    }

    @inlinable
    init(masking address: Address, length: UInt8) {
        self.address = Address(bits: address.bits & Self.mask(length))
        self.length = length
    }

    /// One address as a block of its own: a /32 or /128.
    package init(host address: Address) {
        self.address = address
        length = UInt8(Address.Bits.bitWidth)
    }

    /// `ADDRESS/LENGTH`; bits set behind the length are an error, not cut off: whoever writes 10.244.20.7/24 for a
    /// network means something that this program can't guess.
    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        let (address, length) = try Self.split(text, separator: "/")
        guard let prefix = Self(address, length: length), prefix.address == address else {
            throw AddressParsingError(text, expected: Address.expectedPrefix)
        }
        self = prefix
    }

    /// Splits `ADDRESS` + separator + `LENGTH` without asking that the address be the block's first one.
    package static func split(
        _ text: some StringProtocol, separator: Character
    ) throws(AddressParsingError) -> (address: Address, length: Int) {
        guard let slash = text.lastIndex(of: separator) else {
            throw AddressParsingError(text, expected: Address.expectedPrefix)
        }
        let digits = text[text.index(after: slash)...].utf8
        guard (1...3).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            case let length = digits.reduce(0, { $0 * 10 + Int($1 - UInt8(ascii: "0")) }),
            length <= Address.Bits.bitWidth
        else {
            throw AddressParsingError(text, expected: Address.expectedPrefix)
        }
        do {
            return (try Address(parsing: text[..<slash]), length)
        } catch {
            throw AddressParsingError(text, expected: Address.expectedPrefix)
        }
    }

    @inlinable
    static func mask(_ length: UInt8) -> Address.Bits {
        length == 0 ? 0 : ~0 << (Address.Bits.bitWidth - Int(length))
    }

    /// The block's last address.
    @inlinable
    package var last: Address { Address(bits: address.bits | ~Self.mask(length)) }

    @inlinable
    package func contains(_ other: Address) -> Bool { other.bits & Self.mask(length) == address.bits }

    @inlinable
    package func contains(_ other: Prefix) -> Bool { other.length >= length && contains(other.address) }

    /// Whether the two blocks share an address: one of them then contains the other.
    @inlinable
    package func overlaps(_ other: Prefix) -> Bool { contains(other) || other.contains(self) }

    /// The address that many places behind the first; `nil` beyond the block.
    package func address(at offset: Int) -> Address? {
        guard let step = Address.Bits(exactly: offset) else { return nil }
        let (bits, overflow) = address.bits.addingReportingOverflow(step)
        let result = Address(bits: bits)
        return overflow || !contains(result) ? nil : result
    }

    package var description: String { "\(address)/\(length)" }
}

extension Prefix: Comparable {
    /// By first address, then the larger block first, so that a block stands before what it contains.
    package static func < (left: Prefix, right: Prefix) -> Bool {
        (left.address, left.length) < (right.address, right.length)
    }
}

package typealias IPv4Prefix = Prefix<IPv4Address>
package typealias IPv6Prefix = Prefix<IPv6Address>
