// SPDX-License-Identifier: Apache-2.0

package import APISchema

/// Which leases are asked for; what is `nil` does not matter.
package struct LeaseFilter: Hashable, Sendable {
    package var node: String?
    package var publicIP: String?
    /// An address or a prefix that the lease's subnet contains or touches.
    package var contains: String?
    package var kind: LeaseKind?

    package init(node: String? = nil, publicIP: String? = nil, contains: String? = nil, kind: LeaseKind? = nil) {
        self.node = node
        self.publicIP = publicIP
        self.contains = contains
        self.kind = kind
    }

    /// With its question mark; empty where nothing is asked.
    func query(continue token: String? = nil) -> String {
        let pairs = [
            ("node", node), ("publicIP", publicIP), ("contains", contains), ("kind", kind?.rawValue),
            ("continue", token),
        ]
        let parts = pairs.compactMap { name, value in value.map { "\(name)=\(Self.escape($0))" } }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    /// Percent-encoding of all but the unreserved characters (RFC 3986 section 2.3).
    static func escape(_ text: String) -> String {
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
