// SPDX-License-Identifier: Apache-2.0

/// An address that is a fixed number of bits in network order: what a ``Prefix`` needs to know of one.
package protocol BinaryAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable

    /// The address as a number; the most significant bit is the first on the wire.
    var bits: Bits { get }
    init(bits: Bits)

    /// Reads the canonical or any other strict textual form of one address, nothing before or after it.
    init(parsing text: some StringProtocol) throws(AddressParsingError)

    /// What a prefix over this kind of address is called in an error.
    static var expectedPrefix: AddressParsingError.Expected { get }
}

extension BinaryAddress {
    @inlinable
    package static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}
