// SPDX-License-Identifier: Apache-2.0

/// `NetworkConfig` of openapi.yaml: the network config in flannel's own form, every default filled in, so that it can
/// be written back as it is.
package struct NetworkConfigDocument: Codable, Hashable, Sendable {
    package struct Backend: Codable, Hashable, Sendable {
        package var type: String
        package var vni: UInt32?
        package var port: UInt16?
        package var mtu: Int?
        package var gbp: Bool?
        package var learning: Bool?
        package var directRouting: Bool?

        package init(
            type: String, vni: UInt32? = nil, port: UInt16? = nil, mtu: Int? = nil, gbp: Bool? = nil,
            learning: Bool? = nil, directRouting: Bool? = nil
        ) {
            self.type = type
            self.vni = vni
            self.port = port
            self.mtu = mtu
            self.gbp = gbp
            self.learning = learning
            self.directRouting = directRouting
        }

        enum CodingKeys: String, CodingKey {
            case type = "Type"
            case vni = "VNI"
            case port = "Port"
            case mtu = "MTU"
            case gbp = "GBP"
            case learning = "Learning"
            case directRouting = "DirectRouting"
        }
    }

    /// flannel's `EnableIPv4`; `false` where the network has IPv6 alone, and what follows of IPv4 says nothing.
    package var enableIPv4: Bool?
    package var network: String
    package var subnetLength: Int
    /// The first address of the first and of the last subnet that are given out, as flannel writes them.
    package var subnetMin: String
    package var subnetMax: String
    package var enableIPv6: Bool?
    package var ipv6Network: String?
    package var ipv6SubnetLength: Int?
    package var ipv6SubnetMin: String?
    package var ipv6SubnetMax: String?
    package var backend: Backend

    package init(
        network: String, subnetLength: Int, subnetMin: String, subnetMax: String, backend: Backend
    ) {
        self.network = network
        self.subnetLength = subnetLength
        self.subnetMin = subnetMin
        self.subnetMax = subnetMax
        self.backend = backend
    }

    enum CodingKeys: String, CodingKey {
        case enableIPv4 = "EnableIPv4"
        case network = "Network"
        case subnetLength = "SubnetLen"
        case subnetMin = "SubnetMin"
        case subnetMax = "SubnetMax"
        case enableIPv6 = "EnableIPv6"
        case ipv6Network = "IPv6Network"
        case ipv6SubnetLength = "IPv6SubnetLen"
        case ipv6SubnetMin = "IPv6SubnetMin"
        case ipv6SubnetMax = "IPv6SubnetMax"
        case backend = "Backend"
    }
}
