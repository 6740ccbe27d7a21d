// SPDX-License-Identifier: Apache-2.0

/// An address of either family, where both are welcome: a gateway, a neighbour, a public address.
package enum IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    package init(parsing text: some StringProtocol) throws(AddressParsingError) {
        do {
            if text.utf8.contains(UInt8(ascii: ":")) {
                self = .v6(try IPv6Address(parsing: text))
            } else {
                self = .v4(try IPv4Address(parsing: text))
            }
        } catch {
            throw AddressParsingError(text, expected: .ipAddress)
        }
    }

    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}
