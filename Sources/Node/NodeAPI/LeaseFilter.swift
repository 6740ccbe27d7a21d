// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing
import Leases

/// Which leases are asked for; empty: all.
struct LeaseFilter: Hashable {
    /// A block in a lease's subnet: an address is one of its own size.
    enum Block: Hashable {
        case v4(IPv4Prefix)
        case v6(IPv6Prefix)
    }

    var node: String?
    var publicIP: IPAddress?
    /// The lease's subnet has all of it.
    var contains: Block?
    var kind: LeaseKind?

    /// All leases.
    static let none = LeaseFilter()

    private init() {}

    static let parameters: Set<String> = ["node", "publicIP", "contains", "kind"]

    init(_ query: QueryParameters) throws(APIProblem) {
        node = query["node"]
        publicIP = try query.value("publicIP") { text throws(AddressParsingError) in try IPAddress(parsing: text) }
        contains = try query.value("contains") { text throws(AddressParsingError) in try Self.block(text) }
        if let text = query["kind"] {
            guard let kind = LeaseKind(rawValue: text) else {
                throw .badParameter("kind", "the parameter 'kind' is '\(text)'; it must be lease or reservation")
            }
            self.kind = kind
        }
    }

    private static func block(_ text: String) throws(AddressParsingError) -> Block {
        do {
            return switch (text.contains(":"), text.contains("/")) {
            case (false, false): .v4(IPv4Prefix(host: try IPv4Address(parsing: text)))
            case (false, true): .v4(try IPv4Prefix(parsing: text))
            case (true, false): .v6(IPv6Prefix(host: try IPv6Address(parsing: text)))
            case (true, true): .v6(try IPv6Prefix(parsing: text))
            }
        } catch {
            throw AddressParsingError(text, expected: .ipBlock)
        }
    }

    var isEmpty: Bool { node == nil && publicIP == nil && contains == nil && kind == nil }

    func admits(_ lease: Lease) -> Bool {
        if let node, lease.announcement.node?.name != node { return false }
        switch publicIP {
        case .v4(let address): guard lease.announcement.publicIP == address else { return false }
        case .v6(let address): guard lease.announcement.publicIPv6 == address else { return false }
        case nil: break
        }
        switch contains {
        case .v4(let block): guard lease.key.ipv4Subnet?.contains(block) == true else { return false }
        case .v6(let block): guard lease.key.ipv6Subnet?.contains(block) == true else { return false }
        case nil: break
        }
        guard let kind else { return true }
        return kind == LeaseKind(lease.kind)
    }

    /// The same for every spelling of the same filter.
    var digest: String {
        let block =
            switch contains {
            case .v4(let block): "\(block)"
            case .v6(let block): "\(block)"
            case nil: ""
            }
        // A name that is asked for is not the same as none asked for, also where it is empty.
        return EntityTag.digest([
            node.map { "=\($0)" } ?? "", publicIP.map { "\($0)" } ?? "", block, kind?.rawValue ?? "",
        ])
    }
}
