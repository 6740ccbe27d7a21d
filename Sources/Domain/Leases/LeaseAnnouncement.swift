// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What a node says of itself in its lease's value.
package struct LeaseAnnouncement: Hashable, Sendable {
    /// Who keeps the lease. Ours say `"Owner":"tartan"`; flannel's say nothing.
    package enum Owner: Hashable, Sendable {
        case tartan
        case unnamed
        case other(String)
    }

    /// How packets reach the node's subnet.
    package enum Backend: Hashable, Sendable {
        case vxlan(ipv4: VXLANAnnouncement?, ipv6: VXLANAnnouncement?)
        case hostGateway
        /// One that this program does not know: the lease counts, its traffic is somebody else's.
        case other(String)

        /// flannel's `BackendType`.
        package var type: String {
            switch self {
            case .vxlan: "vxlan"
            case .hostGateway: "host-gw"
            case .other(let type): type
            }
        }
    }

    package var node: NodeID?
    package var owner: Owner
    package var publicIP: IPv4Address
    package var publicIPv6: IPv6Address?
    package var backend: Backend

    package init(
        node: NodeID?, owner: Owner, publicIP: IPv4Address, publicIPv6: IPv6Address? = nil, backend: Backend
    ) {
        self.node = node
        self.owner = owner
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
        self.backend = backend
    }
}

/// flannel's `BackendData` of a vxlan lease.
package struct VXLANAnnouncement: Hashable, Sendable {
    package var mac: MACAddress
    /// The VXLAN network identifier, 24 bits.
    package var vni: UInt32

    package init(vni: UInt32, mac: MACAddress) {
        self.vni = vni
        self.mac = mac
    }
}
