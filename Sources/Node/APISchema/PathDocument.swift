// SPDX-License-Identifier: Apache-2.0

/// `Path` of openapi.yaml: what a packet to another node's pod meets on the node that answers, in this order.
package struct PathDocument: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        /// The address is on this node.
        case local
        case vxlan
        /// A plain route through the peer's public address.
        case direct = "host-gw"
    }

    package var kind: Kind
    /// The subnet that is routed.
    package var route: String
    /// The gateway: the subnet's first address for vxlan, the peer's public address otherwise; `null` for a local one.
    package var via: String?
    package var device: String?
    /// The inner destination of the envelope.
    package var vtepMAC: String?
    /// The outer destination.
    package var underlay: String?

    package init(
        kind: Kind, route: String, via: String? = nil, device: String? = nil, vtepMAC: String? = nil,
        underlay: String? = nil
    ) {
        self.kind = kind
        self.route = route
        self.via = via
        self.device = device
        self.vtepMAC = vtepMAC
        self.underlay = underlay
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(route, forKey: .route)
        try container.encode(via, forKey: .via)
        try container.encode(device, forKey: .device)
        try container.encode(vtepMAC, forKey: .vtepMAC)
        try container.encode(underlay, forKey: .underlay)
    }
}
