// SPDX-License-Identifier: Apache-2.0

import CLinux

// The one place where the kernel's names become ours: a search for `RTM_NEWNEIGH` or `NDA_LLADDR` ends here.

/// Who in the kernel is spoken to.
package enum NetlinkProtocol: Int32, Hashable, Sendable {
    case route = 0  // NETLINK_ROUTE
    case netfilter = 12  // NETLINK_NETFILTER
}

/// What a message is about and does (`nlmsg_type`).
package struct MessageType: Hashable, Sendable {
    package let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The kernel numbers the verbs of one object one after another, in this order.
    package enum Verb: UInt16, Hashable, Sendable {
        case new
        case delete
        case get
        /// Of links alone: what a bridge keeps of its ports.
        case set
    }

    private init(_ new: Int, _ verb: Verb) { rawValue = UInt16(truncatingIfNeeded: new) + verb.rawValue }

    /// `RTM_NEWLINK`, `RTM_DELLINK`, `RTM_GETLINK`, `RTM_SETLINK`
    package static func link(_ verb: Verb) -> Self { Self(Int(RTM_NEWLINK), verb) }
    /// `RTM_NEWADDR`, `RTM_DELADDR`, `RTM_GETADDR`
    package static func address(_ verb: Verb) -> Self { Self(Int(RTM_NEWADDR), verb) }
    /// `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE`
    package static func route(_ verb: Verb) -> Self { Self(Int(RTM_NEWROUTE), verb) }
    /// `RTM_NEWNEIGH`, `RTM_DELNEIGH`, `RTM_GETNEIGH`
    package static func neighbor(_ verb: Verb) -> Self { Self(Int(RTM_NEWNEIGH), verb) }
    /// `RTM_NEWNEXTHOP`, `RTM_DELNEXTHOP`, `RTM_GETNEXTHOP`
    package static func nextHop(_ verb: Verb) -> Self { Self(Int(RTM_NEWNEXTHOP), verb) }

    /// The answer to a request: an error number, 0 for success (`NLMSG_ERROR`).
    static var error: Self { Self(rawValue: UInt16(NLMSG_ERROR)) }
    /// The end of a dump (`NLMSG_DONE`).
    static var done: Self { Self(rawValue: UInt16(NLMSG_DONE)) }
}

/// `nlmsg_flags`.
package struct MessageFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }
    private init(_ value: Int32) { rawValue = UInt16(truncatingIfNeeded: value) }

    static var request: Self { Self(NLM_F_REQUEST) }
    static var acknowledge: Self { Self(NLM_F_ACK) }
    static var dump: Self { Self(NLM_F_DUMP) }
    /// The table changed while it was being dumped (`NLM_F_DUMP_INTR`).
    static var dumpInterrupted: Self { Self(NLM_F_DUMP_INTR) }
    /// The answer leaves the request out (`NLM_F_CAPPED`).
    static var capped: Self { Self(NLM_F_CAPPED) }
    /// The answer has attributes (`NLM_F_ACK_TLVS`).
    static var answerAttributes: Self { Self(NLM_F_ACK_TLVS) }

    /// Make it if it is not there (`NLM_F_CREATE`).
    package static var create: Self { Self(NLM_F_CREATE) }
    /// Fail if it is there (`NLM_F_EXCL`).
    package static var exclusive: Self { Self(NLM_F_EXCL) }
    /// Put it in place of what is there (`NLM_F_REPLACE`).
    package static var replace: Self { Self(NLM_F_REPLACE) }
    /// Put it beside what is there (`NLM_F_APPEND`).
    package static var append: Self { Self(NLM_F_APPEND) }
}

/// Address families as rtnetlink writes them in one byte.
enum Family {
    static let unspecified: UInt8 = 0  // AF_UNSPEC
    static let ipv4: UInt8 = 2  // AF_INET
    static let bridge: UInt8 = 7  // AF_BRIDGE
    static let ipv6: UInt8 = 10  // AF_INET6
    static let netlink: UInt16 = 16  // AF_NETLINK
}

enum AnswerAttribute {
    static var text: UInt16 { UInt16(NLMSGERR_ATTR_MSG.rawValue) }
}

enum LinkAttribute {
    static var mac: UInt16 { UInt16(IFLA_ADDRESS) }
    static var name: UInt16 { UInt16(IFLA_IFNAME) }
    static var mtu: UInt16 { UInt16(IFLA_MTU) }
    static var underlay: UInt16 { UInt16(IFLA_LINK) }
    static var master: UInt16 { UInt16(IFLA_MASTER) }
    static var info: UInt16 { UInt16(IFLA_LINKINFO) }
    static var familySettings: UInt16 { UInt16(IFLA_AF_SPEC) }
    static var namespaceDescriptor: UInt16 { UInt16(IFLA_NET_NS_FD) }
    static var namespaceOfUnderlay: UInt16 { UInt16(IFLA_LINK_NETNSID) }
    /// In `IFLA_AF_SPEC` / `AF_INET6`.
    static var ipv6AddressGeneration: UInt16 { UInt16(IFLA_INET6_ADDR_GEN_MODE) }
    static var operationalState: UInt16 { UInt16(IFLA_OPERSTATE) }
    /// In `IFLA_LINKINFO`.
    static var portKind: UInt16 { UInt16(IFLA_INFO_SLAVE_KIND) }
    static var portData: UInt16 { UInt16(IFLA_INFO_SLAVE_DATA) }
    static var kind: UInt16 { UInt16(IFLA_INFO_KIND) }
    static var data: UInt16 { UInt16(IFLA_INFO_DATA) }
    /// In a veth's `IFLA_INFO_DATA`.
    static var vethPeer: UInt16 { UInt16(VETH_INFO_PEER) }
}

enum BridgeAttribute {
    /// In a bridge's `IFLA_INFO_DATA`.
    static var vlanFiltering: UInt16 { UInt16(IFLA_BR_VLAN_FILTERING) }
    /// In a port's `IFLA_INFO_SLAVE_DATA`.
    static var hairpin: UInt16 { UInt16(IFLA_BRPORT_MODE) }
    /// In `IFLA_AF_SPEC` of the bridge's family.
    static var vlan: UInt16 { UInt16(IFLA_BRIDGE_VLAN_INFO) }
}

enum BridgeVLANFlags {
    static var untaggedIngress: UInt16 { UInt16(BRIDGE_VLAN_INFO_PVID) }
    static var untaggedEgress: UInt16 { UInt16(BRIDGE_VLAN_INFO_UNTAGGED) }
}

enum LinkFlags {
    static let up: UInt32 = 1 << 0  // IFF_UP
    static let loopback: UInt32 = 1 << 3  // IFF_LOOPBACK
    static let running: UInt32 = 1 << 6  // IFF_RUNNING
    static let promiscuous: UInt32 = 1 << 8  // IFF_PROMISC
    static let lowerUp: UInt32 = 1 << 16  // IFF_LOWER_UP
}

/// In a VXLAN device's `IFLA_INFO_DATA`.
enum VXLANAttribute {
    static var vni: UInt16 { UInt16(IFLA_VXLAN_ID) }
    static var group: UInt16 { UInt16(IFLA_VXLAN_GROUP) }
    static var underlay: UInt16 { UInt16(IFLA_VXLAN_LINK) }
    static var localIPv4: UInt16 { UInt16(IFLA_VXLAN_LOCAL) }
    static var localIPv6: UInt16 { UInt16(IFLA_VXLAN_LOCAL6) }
    static var learning: UInt16 { UInt16(IFLA_VXLAN_LEARNING) }
    static var port: UInt16 { UInt16(IFLA_VXLAN_PORT) }
    static var gbp: UInt16 { UInt16(IFLA_VXLAN_GBP) }
    static var collectMetadata: UInt16 { UInt16(IFLA_VXLAN_COLLECT_METADATA) }
}

enum AddressAttribute {
    static var address: UInt16 { UInt16(IFA_ADDRESS) }
    static var local: UInt16 { UInt16(IFA_LOCAL) }
    static var flags: UInt16 { UInt16(IFA_FLAGS) }
    static var broadcast: UInt16 { UInt16(IFA_BROADCAST) }
}

enum RouteAttribute {
    static var destination: UInt16 { UInt16(RTA_DST.rawValue) }
    static var device: UInt16 { UInt16(RTA_OIF.rawValue) }
    static var gateway: UInt16 { UInt16(RTA_GATEWAY.rawValue) }
    static var priority: UInt16 { UInt16(RTA_PRIORITY.rawValue) }
    static var preferredSource: UInt16 { UInt16(RTA_PREFSRC.rawValue) }
    static var multipath: UInt16 { UInt16(RTA_MULTIPATH.rawValue) }
    static var table: UInt16 { UInt16(RTA_TABLE.rawValue) }
    static var nextHop: UInt16 { UInt16(RTA_NH_ID.rawValue) }
    static var metrics: UInt16 { UInt16(RTA_METRICS.rawValue) }
    /// In `RTA_METRICS`.
    static var mtu: UInt16 { UInt16(RTAX_MTU) }
    static var segmentSize: UInt16 { UInt16(RTAX_ADVMSS) }
}

enum RouteFlags {
    /// The gateway need not be in a network of the device (`RTNH_F_ONLINK`).
    static var onLink: UInt32 { UInt32(RTNH_F_ONLINK) }
    /// The device is down or gone (`RTNH_F_DEAD`).
    static var dead: UInt32 { UInt32(RTNH_F_DEAD) }
    /// A copy that the kernel made for one destination (`RTM_F_CLONED`).
    static var cloned: UInt32 { UInt32(RTM_F_CLONED) }
}

enum NextHopAttribute {
    static var id: UInt16 { UInt16(NHA_ID) }
    static var group: UInt16 { UInt16(NHA_GROUP) }
    static var blackhole: UInt16 { UInt16(NHA_BLACKHOLE) }
    static var device: UInt16 { UInt16(NHA_OIF) }
    static var gateway: UInt16 { UInt16(NHA_GATEWAY) }
    static var fdb: UInt16 { UInt16(NHA_FDB) }
}

enum NeighborAttribute {
    static var destination: UInt16 { UInt16(NDA_DST) }
    static var mac: UInt16 { UInt16(NDA_LLADDR) }
    static var vni: UInt16 { UInt16(NDA_VNI) }
    static var port: UInt16 { UInt16(NDA_PORT) }
    static var device: UInt16 { UInt16(NDA_IFINDEX) }
}

enum NeighborFlags {
    /// The device's own table, not its bridge's (`NTF_SELF`).
    static var ownTable: UInt8 { UInt8(NTF_SELF) }
}

enum SocketOption {
    static var level: Int32 { 270 }  // SOL_NETLINK
    static var capAcknowledgements: Int32 { NETLINK_CAP_ACK }
    static var extendedAcknowledgements: Int32 { NETLINK_EXT_ACK }
    static var strictRequests: Int32 { NETLINK_GET_STRICT_CHK }
    static var joinGroup: Int32 { NETLINK_ADD_MEMBERSHIP }
}

/// Groups of notifications (`enum rtnetlink_groups`).
enum MulticastGroup {
    static var link: UInt32 { UInt32(RTNLGRP_LINK.rawValue) }
    static var neighbor: UInt32 { UInt32(RTNLGRP_NEIGH.rawValue) }
    static var ipv4Address: UInt32 { UInt32(RTNLGRP_IPV4_IFADDR.rawValue) }
    static var ipv4Route: UInt32 { UInt32(RTNLGRP_IPV4_ROUTE.rawValue) }
    static var ipv6Address: UInt32 { UInt32(RTNLGRP_IPV6_IFADDR.rawValue) }
    static var ipv6Route: UInt32 { UInt32(RTNLGRP_IPV6_ROUTE.rawValue) }
    static var nextHop: UInt32 { UInt32(RTNLGRP_NEXTHOP.rawValue) }
}

/// Of NETLINK_NETFILTER (linux/netfilter/nfnetlink.h, nf_tables.h).
enum NFTablesMessage {
    /// The upper byte of a message's type (`NFNL_SUBSYS_NFTABLES`).
    static var subsystem: UInt16 { UInt16(NFNL_SUBSYS_NFTABLES) }
    /// The lower byte of the one that ends a transaction (`NFT_MSG_NEWGEN`); its attributes are others.
    static var newGeneration: UInt16 { UInt16(NFT_MSG_NEWGEN.rawValue) }
    /// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE`, …: the same number in each.
    static var table: UInt16 { UInt16(NFTA_TABLE_NAME.rawValue) }
    /// `NFNLGRP_NFTABLES`
    static var group: UInt32 { UInt32(NFNLGRP_NFTABLES.rawValue) }
}
