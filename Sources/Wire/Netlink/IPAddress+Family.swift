// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

extension IPAddress {
    /// As rtnetlink writes it.
    var family: UInt8 {
        switch self {
        case .v4: Family.ipv4
        case .v6: Family.ipv6
        }
    }

    var bitWidth: UInt8 {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The family that a generic address turns out to be of: 32 bits are IPv4, all else IPv6.
    package init<Address: BinaryAddress>(_ address: Address) {
        if Address.Bits.bitWidth == 32 {
            self = .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: address.bits)))
        } else {
            self = .v6(IPv6Address(bits: UInt128(truncatingIfNeeded: address.bits)))
        }
    }
}
