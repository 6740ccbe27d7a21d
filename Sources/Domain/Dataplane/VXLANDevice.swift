// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// The VXLAN device as it should be.
package struct VXLANDevice: Hashable, Sendable {
    package var name: String
    /// 24 bits.
    package var vni: UInt32
    package var port: UInt16
    package var mac: MACAddress
    /// In bytes, what is left of the outer packet's: the network's `Backend.MTU` is that of the underlay, which the
    /// kernel does not let be exceeded (drivers/net/vxlan: `vxlan_change_mtu`).
    package var mtu: Int
    package var underlayIndex: UInt32
    /// The outer source address.
    package var local: IPv4Address
    /// The node's subnet's first address as a /32; `nil` while the node has no subnet.
    package var address: IPv4Prefix?
    package var learning: Bool
    package var gbp: Bool

    /// What VXLAN adds to a packet over an IPv4 underlay, in bytes: IP 20, UDP 8, VXLAN 8, inner Ethernet 14.
    package static let overheadIPv4 = 50
    /// The same over an IPv6 underlay, whose header has 40 bytes.
    package static let overheadIPv6 = 70

    package init(name: String, config: VXLANConfig, mac: MACAddress, underlay: Underlay, address: IPv4Prefix?) {
        self.name = name
        vni = config.vni
        port = config.port
        self.mac = mac
        mtu = min(config.mtu ?? underlay.mtu, underlay.mtu) - Self.overheadIPv4
        underlayIndex = underlay.index
        local = underlay.address
        self.address = address
        learning = config.learning
        gbp = config.gbp
    }

    /// A device as it was found.
    package init(
        name: String, vni: UInt32, port: UInt16, mac: MACAddress, mtu: Int, underlayIndex: UInt32, local: IPv4Address,
        address: IPv4Prefix?, learning: Bool, gbp: Bool
    ) {
        self.name = name
        self.vni = vni
        self.port = port
        self.mac = mac
        self.mtu = mtu
        self.underlayIndex = underlayIndex
        self.local = local
        self.address = address
        self.learning = learning
        self.gbp = gbp
    }
}
