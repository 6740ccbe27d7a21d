// SPDX-License-Identifier: Apache-2.0

import CLinux

extension LinkMessage {
    package init?(_ message: borrowing NetlinkMessage) {
        // In the bridge's family a message tells of a port of it, also when it leaves the bridge, and not of the link.
        guard let header = message.header(ifinfomsg.self), header.ifi_family == Family.unspecified else { return nil }
        self.init(index: UInt32(bitPattern: header.ifi_index), isUp: header.ifi_flags & LinkFlags.up != 0)
        isLoopback = header.ifi_flags & LinkFlags.loopback != 0
        isPromiscuous = header.ifi_flags & LinkFlags.promiscuous != 0
        isRunning = header.ifi_flags & LinkFlags.lowerUp != 0
        var attributes = message.attributes(after: ifinfomsg.self)
        while let attribute = attributes.next() {
            switch attribute.type {
            case LinkAttribute.name: name = attribute.text
            case LinkAttribute.mac: mac = attribute.mac
            case LinkAttribute.mtu: mtu = attribute.uint32
            case LinkAttribute.master: master = attribute.uint32
            case LinkAttribute.underlay: underlay = attribute.uint32
            case LinkAttribute.operationalState: isOperational = attribute.uint8 == 6  // IF_OPER_UP
            case LinkAttribute.info: kind = Self.kind(attribute.nested)
            case LinkAttribute.familySettings: ipv6AddressGeneration = Self.addressGeneration(attribute.nested)
            default: break
            }
        }
    }

    private static func kind(_ info: consuming AttributeReader) -> LinkKind? {
        var kind: LinkKind?
        while let attribute = info.next() {
            switch attribute.type {
            case LinkAttribute.kind:
                kind =
                    switch attribute.text {
                    case "bridge": .bridge
                    case "veth": .veth(nil)
                    case "vxlan": .vxlan(VXLANSettings(vni: 0, port: 0))
                    case let name: .other(name)
                    }
            // The kernel puts the kind in front of the data.
            case LinkAttribute.data:
                if case .vxlan? = kind { kind = .vxlan(VXLANSettings(attribute.nested)) }
            default: break
            }
        }
        return kind
    }

    private static func addressGeneration(_ families: consuming AttributeReader) -> AddressGeneration? {
        while let family = families.next() {
            guard family.type == UInt16(Family.ipv6) else { continue }
            var settings = family.nested
            while let setting = settings.next() {
                if setting.type == LinkAttribute.ipv6AddressGeneration {
                    return setting.uint8.flatMap(AddressGeneration.init(rawValue:))
                }
            }
        }
        return nil
    }
}
