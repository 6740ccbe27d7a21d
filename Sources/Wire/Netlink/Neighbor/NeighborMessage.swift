// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// A neighbour or, in the bridge's family, an entry of a forwarding database (`struct ndmsg`, rtnetlink(7)).
///
///      +--------+-----------------+------------+------------+-------+------+
///      | family | padding (3)     | index (32) | state (16) | flags | type |
///      +--------+-----------------+------------+------------+-------+------+
///
/// | family | table | destination | MAC |
/// | --- | --- | --- | --- |
/// | IPv4, IPv6 | `ip neigh` | the neighbour's address | where its frames go |
/// | bridge | `bridge fdb` | a VXLAN packet's outer destination | whose frames |
package struct NeighborMessage: NetlinkObject {
    package enum Table: Hashable, Sendable {
        case ipv4
        case ipv6
        case fdb

        var family: UInt8 {
            switch self {
            case .ipv4: Family.ipv4
            case .ipv6: Family.ipv6
            case .fdb: Family.bridge
            }
        }
    }

    /// `NUD_…`: bits, of which the kernel sets one.
    package struct State: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let reachable = Self(rawValue: 0x02)  // NUD_REACHABLE
        package static let stale = Self(rawValue: 0x04)  // NUD_STALE
        package static let noARP = Self(rawValue: 0x40)  // NUD_NOARP
        /// Never expires and is never asked for.
        package static let permanent = Self(rawValue: 0x80)  // NUD_PERMANENT
    }

    package var table: Table
    package var device: UInt32
    package var destination: IPAddress?
    package var mac: MACAddress?
    package var state: State
    /// In the device's own table rather than its bridge's (`NTF_SELF`).
    package var isInOwnTable: Bool
    /// Where it differs from the VXLAN device's own.
    package private(set) var vni: UInt32?
    package private(set) var port: UInt16?
    package private(set) var outgoing: UInt32?

    /// Nothing of the three is said of an entry that has them of its device (drivers/net/vxlan: `vxlan_fdb_info`).
    package var leavesAsTheDeviceDoes: Bool { vni == nil && port == nil && outgoing == nil }

    /// `ip neigh ... ADDRESS lladdr MAC dev DEVICE nud permanent`
    package init(address: IPAddress, mac: MACAddress?, device: UInt32, state: State = .permanent) {
        table = address.family == Family.ipv4 ? .ipv4 : .ipv6
        self.device = device
        destination = address
        self.mac = mac
        self.state = state
        isInOwnTable = false
    }

    /// `bridge fdb ... MAC dev DEVICE dst DESTINATION self permanent`
    package init(fdb mac: MACAddress, destination: IPAddress?, device: UInt32) {
        table = .fdb
        self.device = device
        self.destination = destination
        self.mac = mac
        state = [.noARP, .permanent]
        isInOwnTable = true
    }

    /// The filter of a list.
    package init(table: Table, device: UInt32) {
        self.table = table
        self.device = device
        state = []
        isInOwnTable = false
    }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .neighbor(verb) }

    private var header: ndmsg {
        var header = ndmsg()
        header.ndm_family = table.family
        header.ndm_ifindex = Int32(truncatingIfNeeded: device)
        header.ndm_state = state.rawValue
        header.ndm_flags = isInOwnTable ? NeighborFlags.ownTable : 0
        return header
    }

    private var filterHeader: ndmsg {
        var header = ndmsg()
        header.ndm_family = table.family
        return header
    }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        // The key first, as iproute2 has it.
        if table == .fdb, let mac { builder.attribute(NeighborAttribute.mac, mac) }
        if let destination { builder.attribute(NeighborAttribute.destination, destination) }
        if table != .fdb, let mac { builder.attribute(NeighborAttribute.mac, mac) }
    }

    package func putFilter(into builder: inout MessageBuilder) {
        builder.put(filterHeader)
        if device != 0 { builder.attribute(NeighborAttribute.device, device) }
    }

    package init?(_ message: borrowing NetlinkMessage) {
        guard let header = message.header(ndmsg.self) else { return nil }
        switch header.ndm_family {
        case Family.ipv4: table = .ipv4
        case Family.ipv6: table = .ipv6
        case Family.bridge: table = .fdb
        default: return nil
        }
        device = UInt32(bitPattern: header.ndm_ifindex)
        state = State(rawValue: header.ndm_state)
        isInOwnTable = header.ndm_flags & NeighborFlags.ownTable != 0
        var attributes = message.attributes(after: ndmsg.self)
        while let attribute = attributes.next() {
            switch attribute.type {
            case NeighborAttribute.destination: destination = attribute.address
            case NeighborAttribute.mac: mac = attribute.mac
            case NeighborAttribute.vni: vni = attribute.uint32
            case NeighborAttribute.port: port = attribute.bigEndian16
            case NeighborAttribute.device: outgoing = attribute.uint32
            default: break
            }
        }
    }

    package var description: String {
        guard mac != nil || destination != nil else {
            return (table == .fdb ? "forwarding entries" : "neighbours") + " dev \(device)"
        }
        let place = destination.map { table == .fdb ? " dst \($0)" : "\($0)" } ?? ""
        let mac = mac.map { "\($0)" } ?? ""
        return table == .fdb ? "fdb \(mac) dev \(device)\(place)" : "neighbour \(place) lladdr \(mac) dev \(device)"
    }
}
