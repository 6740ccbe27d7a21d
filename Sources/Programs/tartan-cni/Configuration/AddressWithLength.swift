// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// An address and how long its network's prefix is, of either family: `10.244.1.7/24`, or a route's destination.
struct AddressWithLength: Hashable, CustomStringConvertible {
    let address: IPAddress
    let length: UInt8

    init(_ address: IPAddress, length: UInt8) {
        self.address = address
        self.length = length
    }

    init?(parsing text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let (address, length) = try? IPv6Prefix.split(text, separator: "/") else { return nil }
            self.init(.v6(address), length: UInt8(length))
        } else {
            guard let (address, length) = try? IPv4Prefix.split(text, separator: "/") else { return nil }
            self.init(.v4(address), length: UInt8(length))
        }
    }

    static var everythingIPv4: Self { Self(.v4(.any), length: 0) }
    static var everythingIPv6: Self { Self(.v6(IPv6Address(bits: 0)), length: 0) }

    /// The network's first address in place of one in it, as routes are written.
    var network: Self {
        switch address {
        case .v4(let address):
            Prefix(address, length: Int(length)).map { Self(.v4($0.address), length: length) } ?? self
        case .v6(let address):
            Prefix(address, length: Int(length)).map { Self(.v6($0.address), length: length) } ?? self
        }
    }

    var description: String { "\(address)/\(length)" }
}

extension IPAddress {
    var isIPv6: Bool {
        switch self {
        case .v4: false
        case .v6: true
        }
    }
}
