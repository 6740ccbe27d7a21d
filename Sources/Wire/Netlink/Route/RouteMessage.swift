// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// A route (`struct rtmsg`, rtnetlink(7)).
///
///      +--------+---------+---------+-----+-------+----------+-------+------+------------+
///      | family | dst len | src len | tos | table | protocol | scope | type | flags (32) |
///      +--------+---------+---------+-----+-------+----------+-------+------+------------+
package struct RouteMessage: NetlinkObject {
    package enum Kind: UInt8, Hashable, Sendable {
        case unspecified = 0  // RTN_UNSPEC
        case unicast = 1  // RTN_UNICAST
        case local = 2  // RTN_LOCAL
        case broadcast = 3  // RTN_BROADCAST
        case anycast = 4  // RTN_ANYCAST
        case multicast = 5  // RTN_MULTICAST
        case blackhole = 6  // RTN_BLACKHOLE
        case unreachable = 7  // RTN_UNREACHABLE
        case prohibit = 8  // RTN_PROHIBIT
        case other = 255
    }

    /// Who made a route or next hop, so that its maker knows it again (`rtm_protocol`).
    package struct Origin: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let any = Self(rawValue: 0)  // RTPROT_UNSPEC
        package static let kernel = Self(rawValue: 2)  // RTPROT_KERNEL
        package static let routerAdvertisement = Self(rawValue: 9)  // RTPROT_RA
        package static let boot = Self(rawValue: 3)  // RTPROT_BOOT, what `ip` writes
        package static let `static` = Self(rawValue: 4)  // RTPROT_STATIC
    }

    package static let mainTable: UInt32 = 254  // RT_TABLE_MAIN

    /// `nil` is the default route, if the family is said by the gateway.
    package var destination: IPAddress?
    package var prefixLength: UInt8
    package var family: UInt8
    package var table: UInt32
    package var origin: Origin
    package var scope: AddressMessage.Scope
    package var kind: Kind
    package var gateway: IPAddress?
    package var device: UInt32?
    /// A next-hop object's number, in place of gateway and device.
    package var nextHop: UInt32?
    /// Smaller wins; `nil` and 0 are the same for IPv4.
    package var priority: UInt32?
    package var preferredSource: IPAddress?
    /// The gateway need not be in a network of the device.
    package var isOnLink = false
    /// Write only: what packets by this route may be long, in bytes.
    package var mtu: UInt32?
    /// Write only: the largest TCP segment to be offered, in bytes (`RTAX_ADVMSS`).
    package var segmentSize: UInt32?
    /// Several gateways in the route itself, which we never write.
    package var isMultipath = false

    package init(
        destination: IPAddress?, prefixLength: UInt8, gateway: IPAddress? = nil, device: UInt32? = nil,
        nextHop: UInt32? = nil, origin: Origin = .boot, table: UInt32 = RouteMessage.mainTable, isOnLink: Bool = false
    ) {
        self.destination = destination
        self.prefixLength = prefixLength
        family = destination?.family ?? gateway?.family ?? Family.ipv4
        self.table = table
        self.origin = origin
        scope = gateway == nil && nextHop == nil && family == Family.ipv4 ? .link : .global
        kind = .unicast
        self.gateway = gateway
        self.device = device
        self.nextHop = nextHop
        self.isOnLink = isOnLink
    }

    /// The filter of a list: the family and, where they are given, table, maker and device.
    package static func filter(
        ipv6: Bool = false, table: UInt32 = RouteMessage.mainTable, origin: Origin = .any, device: UInt32? = nil
    ) -> RouteMessage {
        var filter = RouteMessage(destination: nil, prefixLength: 0, device: device, origin: origin, table: table)
        filter.family = ipv6 ? Family.ipv6 : Family.ipv4
        return filter
    }

    package var isIPv4: Bool { family == Family.ipv4 }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .route(verb) }

    private var header: rtmsg {
        var header = filterHeader
        header.rtm_dst_len = prefixLength
        header.rtm_scope = scope.rawValue
        header.rtm_type = kind.rawValue
        header.rtm_flags = isOnLink ? RouteFlags.onLink : 0
        return header
    }

    private var filterHeader: rtmsg {
        var header = rtmsg()
        header.rtm_family = family
        header.rtm_table = table < 256 ? UInt8(table) : 252  // RT_TABLE_COMPAT
        header.rtm_protocol = origin.rawValue
        return header
    }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        if let destination { builder.attribute(RouteAttribute.destination, destination) }
        if let gateway { builder.attribute(RouteAttribute.gateway, gateway) }
        if let device { builder.attribute(RouteAttribute.device, device) }
        if let nextHop { builder.attribute(RouteAttribute.nextHop, nextHop) }
        if let priority { builder.attribute(RouteAttribute.priority, priority) }
        if let preferredSource { builder.attribute(RouteAttribute.preferredSource, preferredSource) }
        if table > 255 { builder.attribute(RouteAttribute.table, table) }
        guard mtu != nil || segmentSize != nil else { return }
        builder.nest(RouteAttribute.metrics) { builder in
            if let mtu { builder.attribute(RouteAttribute.mtu, mtu) }
            if let segmentSize { builder.attribute(RouteAttribute.segmentSize, segmentSize) }
        }
    }

    package func putFilter(into builder: inout MessageBuilder) {
        builder.put(filterHeader)
        if table > 255 { builder.attribute(RouteAttribute.table, table) }
        if let device { builder.attribute(RouteAttribute.device, device) }
    }

    package var description: String {
        var text = "route " + (destination.map { "\($0)/\(prefixLength)" } ?? "default")
        if let nextHop { text += " nhid \(nextHop)" }
        if let gateway { text += " via \(gateway)" }
        if let device { text += " dev \(device)" }
        return isOnLink ? text + " onlink" : text
    }
}
