// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Netlink

@Suite struct BridgeTests {
    /// `bridge vlan add dev v0 vid 7 pvid untagged`, iproute2 6.1.
    private let addVLAN = """
        2c 00 00 00 13 00 05 00 41 6b 05 6b 00 00 00 00  // nlmsghdr: RTM_SETLINK, request, acknowledge
        07 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00  // ifinfomsg: AF_BRIDGE, index 3
        0c 00 1a 00                                      // IFLA_AF_SPEC
        08 00 02 00 06 00 07 00                          // IFLA_BRIDGE_VLAN_INFO: PVID, untagged, 7
        """

    @Test func `a port joins a VLAN as bridge asks for it`() {
        let ours = written(
            BridgeVLANMessage(index: 3, vlan: 7, isUntagged: true), .set, flags: 0x05, sequence: 0x6b05_6b41)
        #expect(Hex.text(ours) == Hex.text(Hex.bytes(addVLAN)))
    }

    @Test func `a bridge is told of VLANs only where somebody said so`() {
        let plain = written(LinkMessage(name: "b", kind: .bridge), .new, flags: 0x605, sequence: 1)
        var link = LinkMessage(name: "b", kind: .bridge)
        link.filtersVLANs = true
        let filtering = written(link, .new, flags: 0x605, sequence: 1)
        // IFLA_INFO_DATA with IFLA_BR_VLAN_FILTERING.
        #expect(Hex.text(filtering).hasSuffix("0c 00 02 00 05 00 07 00 01 00 00 00"))
        #expect(filtering.count == plain.count + 12)
    }
}
