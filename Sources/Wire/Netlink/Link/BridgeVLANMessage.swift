// SPDX-License-Identifier: Apache-2.0

import CLinux

/// A VLAN of a bridge's port (`struct bridge_vlan_info`; `bridge vlan add dev PORT vid VLAN`).
///
/// Written with `.set`; the kernel lists them in its own way, which nobody here needs.
package struct BridgeVLANMessage: NetlinkObject {
    /// The port's.
    package var index: UInt32
    /// 1 to 4094.
    package var vlan: UInt16
    /// Packets without a tag that come in belong to it, and its packets leave without a tag: an access port.
    package var isUntagged: Bool

    package init(index: UInt32, vlan: UInt16, isUntagged: Bool) {
        self.index = index
        self.vlan = vlan
        self.isUntagged = isUntagged
    }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .link(verb) }

    package func put(into builder: inout MessageBuilder) {
        var header = ifinfomsg()
        header.ifi_family = Family.bridge
        header.ifi_index = Int32(truncatingIfNeeded: index)
        builder.put(header)
        builder.nest(LinkAttribute.familySettings) { builder in
            builder.nest(BridgeAttribute.vlan) {
                $0.put(isUntagged ? BridgeVLANFlags.untaggedIngress | BridgeVLANFlags.untaggedEgress : 0)
                $0.put(vlan)
            }
        }
    }

    package func putFilter(into builder: inout MessageBuilder) { put(into: &builder) }

    package init?(_ message: borrowing NetlinkMessage) { return nil }

    package var description: String { "vlan \(vlan) dev \(index)" }
}
