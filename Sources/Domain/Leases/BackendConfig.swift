// SPDX-License-Identifier: Apache-2.0

/// The `Backend` object of the network config: how the cluster's nodes reach each other's subnets.
package enum BackendConfig: Hashable, Sendable {
    case vxlan(VXLANConfig)
    /// A plain route through the peer's public address; every node on one layer-2 network.
    case hostGateway
    /// Leases only (flannel's `alloc`).
    case none

    /// flannel's `Type`.
    package var type: String {
        switch self {
        case .vxlan: "vxlan"
        case .hostGateway: "host-gw"
        case .none: "alloc"
        }
    }
}

/// The fields of a `vxlan` backend.
package struct VXLANConfig: Hashable, Sendable {
    /// The VXLAN network identifier, 1 to 16,777,215 (24 bits, RFC 7348 section 5).
    package var vni: UInt32
    /// The UDP port; flannel's 0 means the kernel's default, which is 8472.
    package var port: UInt16
    /// The outer packets' MTU in bytes, as in flannel: the device has as much, less the envelope; `nil`: the
    /// underlay's.
    package var mtu: Int?
    /// Group based policy extension.
    package var gbp: Bool
    package var learning: Bool
    /// A plain route instead of VXLAN for a peer on a directly connected network.
    package var directRouting: Bool

    package init(
        vni: UInt32 = 1, port: UInt16 = 8472, mtu: Int? = nil, gbp: Bool = false, learning: Bool = false,
        directRouting: Bool = false
    ) {
        self.vni = vni
        self.port = port
        self.mtu = mtu
        self.gbp = gbp
        self.learning = learning
        self.directRouting = directRouting
    }
}
