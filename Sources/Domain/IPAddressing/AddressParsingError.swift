// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a text that should have been an address or a prefix.
///
/// The text itself is kept, so that a message can name it.
package struct AddressParsingError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Expected: String, Hashable, Sendable {
        case ipv4Address = "an IPv4 address such as 10.244.20.7"
        case ipv6Address = "an IPv6 address such as fd00:10:244::7"
        case ipAddress = "an IPv4 or IPv6 address such as 10.244.20.7 or fd00:10:244::7"
        case ipBlock = "an IPv4 or IPv6 address or prefix such as 10.244.20.7 or 10.244.20.0/24"
        case ipv4Prefix = "an IPv4 prefix such as 10.244.20.0/24"
        case ipv6Prefix = "an IPv6 prefix such as fd00:10:244:14::/64"
        case macAddress = "a MAC address such as 3a:58:8f:c1:3c:7e"
    }

    package let text: String
    package let expected: Expected

    package init(_ text: some StringProtocol, expected: Expected) {
        self.text = String(text)
        self.expected = expected
    }

    package var description: String { "'\(text)' is not \(expected.rawValue)" }
}
