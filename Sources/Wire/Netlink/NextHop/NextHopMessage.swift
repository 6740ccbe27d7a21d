// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// A next-hop object (`struct nhmsg`, Linux 5.3).
///
///      +--------+-------+----------+----------+------------+
///      | family | scope | protocol | reserved | flags (32) |
///      +--------+-------+----------+----------+------------+
package struct NextHopMessage: NetlinkObject {
    /// 0: the kernel chooses; in a filter, any.
    package var id: UInt32
    package var family: UInt8
    package var origin: RouteMessage.Origin
    package var gateway: IPAddress?
    package var device: UInt32?
    package var isOnLink: Bool
    /// A group, a blackhole or an FDB next hop, none of which we make.
    package private(set) var isOther = false

    package init(
        id: UInt32 = 0, gateway: IPAddress? = nil, device: UInt32? = nil, origin: RouteMessage.Origin = .any,
        isOnLink: Bool = false
    ) {
        self.id = id
        family = gateway?.family ?? Family.unspecified
        self.origin = origin
        self.gateway = gateway
        self.device = device
        self.isOnLink = isOnLink
    }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .nextHop(verb) }

    private var header: nhmsg {
        var header = filterHeader
        header.nh_protocol = origin.rawValue
        header.nh_flags = isOnLink ? RouteFlags.onLink : 0
        return header
    }

    private var filterHeader: nhmsg {
        var header = nhmsg()
        header.nh_family = family
        return header
    }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        if id != 0 { builder.attribute(NextHopAttribute.id, id) }
        if let gateway { builder.attribute(NextHopAttribute.gateway, gateway) }
        if let device { builder.attribute(NextHopAttribute.device, device) }
    }

    package func putFilter(into builder: inout MessageBuilder) {
        builder.put(filterHeader)
        if let device { builder.attribute(NextHopAttribute.device, device) }
    }

    package init?(_ message: borrowing NetlinkMessage) {
        guard let header = message.header(nhmsg.self) else { return nil }
        self.init(
            origin: RouteMessage.Origin(rawValue: header.nh_protocol),
            isOnLink: header.nh_flags & RouteFlags.onLink != 0)
        family = header.nh_family
        var attributes = message.attributes(after: nhmsg.self)
        while let attribute = attributes.next() {
            switch attribute.type {
            case NextHopAttribute.id: id = attribute.uint32 ?? 0
            case NextHopAttribute.gateway: gateway = attribute.address
            case NextHopAttribute.device: device = attribute.uint32
            case NextHopAttribute.group, NextHopAttribute.blackhole, NextHopAttribute.fdb: isOther = true
            default: break
            }
        }
        guard id != 0 else { return nil }
    }

    package var description: String {
        var text = id == 0 ? "next hops" : "nexthop id \(id)"
        if let gateway { text += " via \(gateway)" }
        if let device { text += " dev \(device)" }
        return isOnLink ? text + " onlink" : text
    }
}
