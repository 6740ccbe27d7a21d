// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What a virtual link is (`IFLA_INFO_KIND`), with what we set or read of it.
package enum LinkKind: Hashable, Sendable, CustomStringConvertible {
    case bridge
    /// A pair; the other end is said only when the pair is made.
    case veth(VETHPeer?)
    case vxlan(VXLANSettings)
    /// Write only: what is to be another of a VXLAN device that is there.
    case vxlanChange(VXLANChange)
    case other(String)

    /// The kernel's word for it.
    package var name: String {
        switch self {
        case .bridge: "bridge"
        case .veth: "veth"
        case .vxlan, .vxlanChange: "vxlan"
        case .other(let name): name
        }
    }

    package var description: String { name }
}

/// The other end of a veth pair to be made.
package struct VETHPeer: Hashable, Sendable {
    package var name: String
    package var mac: MACAddress?
    package var mtu: UInt32?
    /// An open descriptor of the namespace that it is made in; `nil`: beside the first end.
    package var namespace: Int32?

    package init(name: String, mac: MACAddress? = nil, mtu: UInt32? = nil, namespace: Int32? = nil) {
        self.name = name
        self.mac = mac
        self.mtu = mtu
        self.namespace = namespace
    }
}

/// What of a VXLAN device can be changed after it was made.
package struct VXLANChange: Hashable, Sendable {
    package var local: IPAddress?
    package var underlay: UInt32?
    package var learning: Bool?

    package init(local: IPAddress? = nil, underlay: UInt32? = nil, learning: Bool? = nil) {
        self.local = local
        self.underlay = underlay
        self.learning = learning
    }
}

/// The attributes of a VXLAN device (`IFLA_VXLAN_…`).
package struct VXLANSettings: Hashable, Sendable {
    package var vni: UInt32
    package var port: UInt16
    package var local: IPAddress?
    /// The index of the interface that its packets leave by.
    package var underlay: UInt32?
    /// A multicast group or default remote.
    package var group: IPAddress?
    package var learning: Bool
    package var gbp: Bool
    /// A device without a VNI of its own (`external`), as Open vSwitch and Cilium make.
    package var isExternal: Bool

    package init(
        vni: UInt32, port: UInt16, local: IPAddress? = nil, underlay: UInt32? = nil, group: IPAddress? = nil,
        learning: Bool = false, gbp: Bool = false, isExternal: Bool = false
    ) {
        self.vni = vni
        self.port = port
        self.local = local
        self.underlay = underlay
        self.group = group
        self.learning = learning
        self.gbp = gbp
        self.isExternal = isExternal
    }
}
