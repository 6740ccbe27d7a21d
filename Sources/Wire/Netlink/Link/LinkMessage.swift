// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// A network interface (`struct ifinfomsg`, rtnetlink(7)).
///
///      +--------+-----+-----------+-------------+------------+-------------+
///      | family | pad | type (16) | index (32)  | flags (32) | change (32) |
///      +--------+-----+-----------+-------------+------------+-------------+
package struct LinkMessage: NetlinkObject {
    package enum AddressGeneration: UInt8, Hashable, Sendable {
        case eui64 = 0
        /// The kernel makes itself no IPv6 link-local address.
        case none = 1
        case stablePrivacy = 2
        case random = 3
    }

    /// 0: by name.
    package var index: UInt32
    package var name: String?
    /// Whether somebody set it up; in a change `nil` leaves it.
    package var isUp: Bool?
    package var isLoopback = false
    /// Whether it has a carrier.
    package var isRunning = false
    /// Whether it carries packets now, a bridge's port included (`IF_OPER_UP`); read only.
    package var isOperational = false
    /// Whether somebody asked it to take packets for others too; in a change `nil` leaves it.
    package var isPromiscuous: Bool?
    /// Write only, of a bridge: whether its ports belong to VLANs.
    package var filtersVLANs: Bool?
    /// Write only, of a bridge's port: whether a packet may leave by the port that it came in.
    package var isHairpin: Bool?
    package var mac: MACAddress?
    package var mtu: UInt32?
    /// The index of the bridge or bond that it is a port of; 0 takes it out.
    package var master: UInt32?
    /// The index of the link that it is made on, or of a veth's other end, in whichever namespace that is.
    package var underlay: UInt32?
    package var kind: LinkKind?
    package var ipv6AddressGeneration: AddressGeneration?
    /// Write only: an open descriptor of the namespace that it goes to.
    package var namespace: Int32?

    package init(
        index: UInt32 = 0, name: String? = nil, isUp: Bool? = nil, mac: MACAddress? = nil, mtu: UInt32? = nil,
        master: UInt32? = nil, kind: LinkKind? = nil
    ) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.mac = mac
        self.mtu = mtu
        self.master = master
        self.kind = kind
    }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .link(verb) }

    private var header: ifinfomsg {
        var header = filterHeader
        header.ifi_index = Int32(truncatingIfNeeded: index)
        if let isUp {
            header.ifi_change = LinkFlags.up
            header.ifi_flags = isUp ? LinkFlags.up : 0
        }
        if let isPromiscuous {
            header.ifi_change |= LinkFlags.promiscuous
            header.ifi_flags |= isPromiscuous ? LinkFlags.promiscuous : 0
        }
        return header
    }

    private var filterHeader: ifinfomsg { ifinfomsg() }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        if let name { builder.attribute(LinkAttribute.name, name) }
        if let mac { builder.attribute(LinkAttribute.mac, mac) }
        if let mtu { builder.attribute(LinkAttribute.mtu, mtu) }
        if let master { builder.attribute(LinkAttribute.master, master) }
        if let namespace { builder.attribute(LinkAttribute.namespaceDescriptor, UInt32(bitPattern: namespace)) }
        if let ipv6AddressGeneration {
            builder.nest(LinkAttribute.familySettings) { builder in
                builder.nest(UInt16(Family.ipv6)) {
                    $0.attribute(LinkAttribute.ipv6AddressGeneration, ipv6AddressGeneration.rawValue)
                }
            }
        }
        guard kind != nil || isHairpin != nil else { return }
        builder.nest(LinkAttribute.info) { builder in
            if let kind {
                builder.attribute(LinkAttribute.kind, kind.name)
                putData(of: kind, into: &builder)
            }
            if let isHairpin {
                builder.attribute(LinkAttribute.portKind, LinkKind.bridge.name)
                builder.nest(LinkAttribute.portData) {
                    $0.attribute(BridgeAttribute.hairpin, UInt8(isHairpin ? 1 : 0))
                }
            }
        }
    }

    package func putFilter(into builder: inout MessageBuilder) {
        builder.put(filterHeader)
        if let master { builder.attribute(LinkAttribute.master, master) }
        if let kind {
            builder.nest(LinkAttribute.info) { $0.attribute(LinkAttribute.kind, kind.name) }
        }
    }

    private func putData(of kind: LinkKind, into builder: inout MessageBuilder) {
        switch kind {
        case .other, .veth(nil): break
        case .bridge:
            guard let filtersVLANs else { return }
            builder.nest(LinkAttribute.data) {
                $0.attribute(BridgeAttribute.vlanFiltering, UInt8(filtersVLANs ? 1 : 0))
            }
        case .vxlanChange(let change): builder.nest(LinkAttribute.data) { change.put(into: &$0) }
        case .vxlan(let settings): builder.nest(LinkAttribute.data) { settings.put(into: &$0) }
        case .veth(let peer?):
            builder.nest(LinkAttribute.data) { builder in
                builder.nest(LinkAttribute.vethPeer) { builder in
                    var end = LinkMessage(name: peer.name, mac: peer.mac, mtu: peer.mtu)
                    end.namespace = peer.namespace
                    end.put(into: &builder)
                }
            }
        }
    }

    package var description: String {
        let what = name.map { "link \($0)" } ?? (index == 0 ? "links" : "link \(index)")
        return kind.map { "\(what) type \($0)" } ?? what
    }
}
