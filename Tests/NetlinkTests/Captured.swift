// SPDX-License-Identifier: Apache-2.0

/// Messages between iproute2 6.1 and Linux 6.18, caught with strace; the device of index 3 is `tartan.1`.
enum Captured {
    /// `ip link add tartan.1 type vxlan id 1 dev br0 local 192.168.0.1 dstport 8472 nolearning gbp`
    static let addVXLAN = """
        70 00 00 00 10 00 05 06 58 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWLINK, REQUEST ACK CREATE EXCL
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  // ifinfomsg
        0d 00 03 00 74 61 72 74 61 6e 2e 31 00 00 00 00  // IFLA_IFNAME "tartan.1"
        40 00 12 00                                      // IFLA_LINKINFO
        09 00 01 00 76 78 6c 61 6e 00 00 00              //   IFLA_INFO_KIND "vxlan"
        30 00 02 00                                      //   IFLA_INFO_DATA
        08 00 03 00 02 00 00 00                          //     IFLA_VXLAN_LINK 2
        04 00 17 00                                      //     IFLA_VXLAN_GBP
        08 00 01 00 01 00 00 00                          //     IFLA_VXLAN_ID 1
        08 00 04 00 c0 a8 00 01                          //     IFLA_VXLAN_LOCAL 192.168.0.1
        05 00 07 00 00 00 00 00                          //     IFLA_VXLAN_LEARNING 0
        06 00 0f 00 21 18 00 00                          //     IFLA_VXLAN_PORT 8472
        """

    /// `ip link add v0 type veth peer name v1`
    static let addVETH = """
        54 00 00 00 10 00 05 06 59 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWLINK
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  // ifinfomsg
        07 00 03 00 76 30 00 00                          // IFLA_IFNAME "v0"
        2c 00 12 00                                      // IFLA_LINKINFO
        08 00 01 00 76 65 74 68                          //   IFLA_INFO_KIND "veth", as iproute2: no NUL
        20 00 02 00                                      //   IFLA_INFO_DATA
        1c 00 01 00                                      //     VETH_INFO_PEER
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  //       ifinfomsg
        07 00 03 00 76 31 00 00                          //       IFLA_IFNAME "v1"
        """

    /// `ip neigh replace 10.244.20.0 lladdr 02:00:00:00:00:02 dev tartan.1 nud permanent`
    static let setNeighbor = """
        30 00 00 00 1c 00 05 05 5a 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWNEIGH, REQUEST ACK CREATE REPLACE
        02 00 00 00 03 00 00 00 80 00 00 00              // ndmsg: AF_INET, index 3, NUD_PERMANENT
        08 00 01 00 0a f4 14 00                          // NDA_DST 10.244.20.0
        0a 00 02 00 02 00 00 00 00 02 00 00              // NDA_LLADDR
        """

    /// `bridge fdb replace 02:00:00:00:00:02 dev tartan.1 dst 192.168.0.2 self permanent`
    static let setFDBEntry = """
        30 00 00 00 1c 00 05 05 5a 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWNEIGH, REQUEST ACK CREATE REPLACE
        07 00 00 00 03 00 00 00 c0 00 02 00              // ndmsg: AF_BRIDGE, index 3, NOARP PERMANENT, NTF_SELF
        0a 00 02 00 02 00 00 00 00 02 00 00              // NDA_LLADDR
        08 00 01 00 c0 a8 00 02                          // NDA_DST 192.168.0.2
        """

    /// `ip nexthop add id 183768064 via 10.244.20.0 dev tartan.1 onlink proto 116`
    static let addNextHop = """
        30 00 00 00 68 00 05 06 59 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWNEXTHOP
        02 00 74 00 04 00 00 00                          // nhmsg: AF_INET, protocol 116, RTNH_F_ONLINK
        08 00 01 00 00 14 f4 0a                          // NHA_ID 183768064
        08 00 06 00 0a f4 14 00                          // NHA_GATEWAY 10.244.20.0
        08 00 05 00 03 00 00 00                          // NHA_OIF 3
        """

    /// `ip route add 10.244.20.0/24 nhid 183768064 proto 116`
    static let addRoute = """
        2c 00 00 00 18 00 05 06 59 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWROUTE
        02 18 00 00 fe 74 00 01 00 00 00 00              // rtmsg: AF_INET, /24, main, protocol 116, unicast
        08 00 01 00 0a f4 14 00                          // RTA_DST 10.244.20.0
        08 00 1e 00 00 14 f4 0a                          // RTA_NH_ID 183768064
        """

    /// `ip addr add 10.244.1.0/32 dev tartan.1`
    static let addAddress = """
        28 00 00 00 14 00 05 06 59 51 05 6b 00 00 00 00  // nlmsghdr: RTM_NEWADDR
        02 20 00 00 03 00 00 00                          // ifaddrmsg: AF_INET, /32, index 3
        08 00 02 00 0a f4 01 00                          // IFA_LOCAL 10.244.1.0
        08 00 01 00 0a f4 01 00                          // IFA_ADDRESS 10.244.1.0
        """

    /// The kernel's answer to `ip route show proto 116`.
    static let route = """
        44 00 00 00 18 00 22 00 59 51 05 6b 00 75 00 00  // nlmsghdr: RTM_NEWROUTE, MULTI DUMP_FILTERED
        02 18 00 00 fe 74 00 01 04 00 00 00              // rtmsg: flags RTNH_F_ONLINK
        08 00 0f 00 fe 00 00 00                          // RTA_TABLE 254
        08 00 01 00 0a f4 14 00                          // RTA_DST 10.244.20.0
        08 00 1e 00 00 14 f4 0a                          // RTA_NH_ID 183768064
        08 00 05 00 0a f4 14 00                          // RTA_GATEWAY 10.244.20.0
        08 00 04 00 03 00 00 00                          // RTA_OIF 3
        """

    /// The kernel's answer to `ip nexthop show dev tartan.1`, and the end of that dump.
    static let nextHop = """
        30 00 00 00 68 00 02 00 59 51 05 6b 10 75 00 00  // nlmsghdr: RTM_NEWNEXTHOP, MULTI
        02 fd 74 00 04 00 00 00                          // nhmsg: AF_INET, scope link, protocol 116, onlink
        08 00 01 00 00 14 f4 0a                          // NHA_ID
        08 00 05 00 03 00 00 00                          // NHA_OIF
        08 00 06 00 0a f4 14 00                          // NHA_GATEWAY
        14 00 00 00 03 00 02 00 59 51 05 6b 10 75 00 00  // nlmsghdr: NLMSG_DONE
        00 00 00 00                                      // 0
        """

    /// The kernel's answer to `bridge fdb show dev tartan.1`.
    static let fdbEntry = """
        44 00 00 00 1c 00 02 00 5a 51 05 6b 08 75 00 00  // nlmsghdr: RTM_NEWNEIGH, MULTI
        07 00 00 00 03 00 00 00 c0 00 02 01              // ndmsg: AF_BRIDGE, index 3, NOARP PERMANENT, NTF_SELF
        0a 00 02 00 02 00 00 00 00 02 00 00              // NDA_LLADDR
        08 00 01 00 c0 a8 00 02                          // NDA_DST
        14 00 03 00 00 00 00 00 05 00 00 00 05 00 00 00  // NDA_CACHEINFO
        00 00 00 00
        """

    /// The kernel's answer to `ip route add 10.9.0.0/24 via 10.8.0.1`: no socket option keeps the request out of it.
    static let refusal = """
        60 00 00 00 02 00 00 02 59 51 05 6b 14 75 00 00  // nlmsghdr: NLMSG_ERROR, ACK_TLVS
        9b ff ff ff                                      // -ENETUNREACH
        2c 00 00 00 18 00 05 06 59 51 05 6b 00 00 00 00  // the request
        02 18 00 00 fe 03 00 01 00 00 00 00
        08 00 01 00 0a 09 00 00 08 00 05 00 0a 08 00 01
        20 00 01 00                                      // NLMSGERR_ATTR_MSG
        4e 65 78 74 68 6f 70 20 68 61 73 20 69 6e 76 61 6c 69 64 20 67 61 74 65 77 61 79 00
        """

    static let all = [
        addVXLAN, addVETH, setNeighbor, setFDBEntry, addNextHop, addRoute, addAddress, route, nextHop, fdbEntry,
        refusal,
    ]
}
