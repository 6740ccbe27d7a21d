// SPDX-License-Identifier: Apache-2.0

/// `Backend` of openapi.yaml: how packets reach a node's subnet.
package struct BackendDocument: Codable, Hashable, Sendable {
    /// flannel's `BackendType`: `vxlan`, `host-gw`, or one that this program only passes on.
    package var type: String
    /// The VXLAN network identifier, 24 bits; `null` for a backend without one.
    package var vni: UInt32?
    /// The MAC address of the node's VXLAN device.
    package var vtepMAC: String?

    package init(type: String, vni: UInt32? = nil, vtepMAC: String? = nil) {
        self.type = type
        self.vni = vni
        self.vtepMAC = vtepMAC
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(vni, forKey: .vni)
        try container.encode(vtepMAC, forKey: .vtepMAC)
    }
}
