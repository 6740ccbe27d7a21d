// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

extension VXLANDevice {
    /// The link to be made, still down: what must be set before IPv6 wakes up comes in between.
    var link: LinkMessage {
        LinkMessage(name: name, isUp: false, mac: mac, mtu: UInt32(clamping: mtu), kind: .vxlan(settings))
    }

    private var settings: VXLANSettings {
        VXLANSettings(
            vni: vni, port: port, local: IPAddress(local), underlay: underlayIndex, learning: learning, gbp: gbp)
    }

    /// What is to be done to a VXLAN device of that name.
    enum Mending: Hashable {
        case nothing
        /// In this order.
        case change([LinkMessage])
        /// It was made with something that can't be changed.
        case replace
    }

    func mending(of link: LinkMessage, _ there: VXLANSettings) -> Mending {
        guard there.vni == vni, there.port == port, there.gbp == gbp, !there.isExternal, there.group == nil else {
            return .replace
        }
        var changes: [LinkMessage] = []
        func change(_ body: (inout LinkMessage) -> Void) {
            var message = LinkMessage(index: link.index)
            body(&message)
            changes.append(message)
        }
        var vxlan = VXLANChange()
        if there.local != IPAddress(local) { vxlan.local = IPAddress(local) }
        if there.underlay != underlayIndex { vxlan.underlay = underlayIndex }
        if there.learning != learning { vxlan.learning = learning }
        if vxlan != VXLANChange() { change { $0.kind = .vxlanChange(vxlan) } }
        if link.mac != mac { change { $0.mac = mac } }
        if link.mtu != UInt32(clamping: mtu) { change { $0.mtu = UInt32(clamping: mtu) } }
        if let generation = link.ipv6AddressGeneration, generation != .none {
            change { $0.ipv6AddressGeneration = LinkMessage.AddressGeneration.none }
        }
        if link.isUp != true { change { $0.isUp = true } }
        return changes.isEmpty ? .nothing : .change(changes)
    }
}
