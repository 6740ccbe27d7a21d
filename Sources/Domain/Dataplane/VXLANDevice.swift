// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// The VXLAN device of one family, as it should be: its packets' outer header is of that family, and so are the packets
/// in it.
package struct VXLANDevice<Address: DataplaneAddress>: Hashable, Sendable {
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
    package var local: Address
    /// The node's subnet's first address as a /32 or /128; `nil` while the node has no subnet.
    package var address: Prefix<Address>?
    package var learning: Bool
    package var gbp: Bool

    /// - Parameter local: the underlay's address of that family.
    package init(
        name: String, config: VXLANConfig, mac: MACAddress, underlay: Underlay, local: Address,
        address: Prefix<Address>?
    ) {
        self.name = name
        vni = config.vni
        port = config.port
        self.mac = mac
        mtu = min(config.mtu ?? underlay.mtu, underlay.mtu) - Address.overhead
        underlayIndex = underlay.index
        self.local = local
        self.address = address
        learning = config.learning
        gbp = config.gbp
    }

    /// A device as it was found.
    package init(
        name: String, vni: UInt32, port: UInt16, mac: MACAddress, mtu: Int, underlayIndex: UInt32, local: Address,
        address: Prefix<Address>?, learning: Bool, gbp: Bool
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

extension VXLANDevice<IPv4Address> {
    package init(name: String, config: VXLANConfig, mac: MACAddress, underlay: Underlay, address: IPv4Prefix?) {
        self.init(
            name: name, config: config, mac: mac, underlay: underlay, local: underlay.address, address: address)
    }
}
