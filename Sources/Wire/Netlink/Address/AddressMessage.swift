// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// An address of an interface (`struct ifaddrmsg`, rtnetlink(7)).
///
///      +--------+---------------+-------+-------+------------+
///      | family | prefix length | flags | scope | index (32) |
///      +--------+---------------+-------+-------+------------+
package struct AddressMessage: NetlinkObject {
    package enum Scope: UInt8, Hashable, Sendable {
        case global = 0  // RT_SCOPE_UNIVERSE
        case site = 200  // RT_SCOPE_SITE
        case link = 253  // RT_SCOPE_LINK
        case host = 254  // RT_SCOPE_HOST
        case nowhere = 255  // RT_SCOPE_NOWHERE
    }

    /// The interface's; 0 in a filter: any.
    package var index: UInt32
    package var address: IPAddress?
    package var prefixLength: UInt8
    package var scope: Scope
    /// `IFA_F_…`.
    package var flags: UInt32 = 0
    /// Write only: the network's broadcast address, which the kernel does not make up.
    package var broadcast: IPv4Address?

    /// Used from the start, without asking whether somebody else has it (`IFA_F_NODAD`, RFC 4862 section 5.4).
    package static let withoutDetection: UInt32 = 0x02

    /// Somebody else has it (`IFA_F_DADFAILED`).
    package var isDuplicate: Bool { flags & 0x08 != 0 }
    /// Of IPv6: made up for privacy and gone after a day, or not to be used for anything new (`IFA_F_TEMPORARY`,
    /// `IFA_F_DEPRECATED`).
    package var isPassing: Bool { flags & 0x21 != 0 }

    package init(index: UInt32 = 0, address: IPAddress? = nil, prefixLength: UInt8 = 0, scope: Scope = .global) {
        self.index = index
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
    }

    package init<Address: BinaryAddress>(index: UInt32, _ prefix: Prefix<Address>, scope: Scope = .global) {
        self.init(index: index, address: IPAddress(prefix.address), prefixLength: prefix.length, scope: scope)
    }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .address(verb) }

    private var header: ifaddrmsg {
        var header = filterHeader
        header.ifa_prefixlen = prefixLength
        header.ifa_scope = scope.rawValue
        return header
    }

    private var filterHeader: ifaddrmsg {
        var header = ifaddrmsg()
        header.ifa_family = address?.family ?? Family.unspecified
        header.ifa_index = index
        return header
    }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        guard let address else { return }
        // On a point-to-point link the two differ; here both are the interface's own.
        builder.attribute(AddressAttribute.local, address)
        builder.attribute(AddressAttribute.address, address)
        if flags != 0 { builder.attribute(AddressAttribute.flags, flags) }
        if let broadcast { builder.attribute(AddressAttribute.broadcast, broadcast) }
    }

    package func putFilter(into builder: inout MessageBuilder) { builder.put(filterHeader) }

    package init?(_ message: borrowing NetlinkMessage) {
        guard let header = message.header(ifaddrmsg.self) else { return nil }
        self.init(
            index: header.ifa_index, prefixLength: header.ifa_prefixlen,
            scope: Scope(rawValue: header.ifa_scope) ?? .nowhere)
        flags = UInt32(header.ifa_flags)
        var local: IPAddress?
        var attributes = message.attributes(after: ifaddrmsg.self)
        while let attribute = attributes.next() {
            switch attribute.type {
            case AddressAttribute.local: local = attribute.address
            case AddressAttribute.address: address = attribute.address
            case AddressAttribute.flags: flags = attribute.uint32 ?? flags
            default: break
            }
        }
        address = local ?? address
        guard address != nil else { return nil }
    }

    package var description: String {
        guard let address else { return "addresses of link \(index)" }
        return "address \(address)/\(prefixLength) dev \(index)"
    }
}
