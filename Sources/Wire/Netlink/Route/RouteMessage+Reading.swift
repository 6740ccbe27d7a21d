// SPDX-License-Identifier: Apache-2.0

import CLinux

extension RouteMessage {
    package init?(_ message: borrowing NetlinkMessage) {
        guard let header = message.header(rtmsg.self), header.rtm_flags & RouteFlags.cloned == 0 else { return nil }
        self.init(answering: message)
    }

    /// Also what the kernel made up for one destination.
    init?(answering message: borrowing NetlinkMessage) {
        guard let header = message.header(rtmsg.self) else { return nil }
        self.init(
            destination: nil, prefixLength: header.rtm_dst_len, origin: Origin(rawValue: header.rtm_protocol),
            table: UInt32(header.rtm_table), isOnLink: header.rtm_flags & RouteFlags.onLink != 0)
        family = header.rtm_family
        scope = AddressMessage.Scope(rawValue: header.rtm_scope) ?? .nowhere
        kind = Kind(rawValue: header.rtm_type) ?? .other
        var attributes = message.attributes(after: rtmsg.self)
        while let attribute = attributes.next() {
            switch attribute.type {
            case RouteAttribute.destination: destination = attribute.address
            case RouteAttribute.gateway: gateway = attribute.address
            case RouteAttribute.device: device = attribute.uint32
            case RouteAttribute.nextHop: nextHop = attribute.uint32
            case RouteAttribute.priority: priority = attribute.uint32
            case RouteAttribute.preferredSource: preferredSource = attribute.address
            case RouteAttribute.table: table = attribute.uint32 ?? table
            case RouteAttribute.multipath: isMultipath = true
            default: break
            }
        }
    }
}
