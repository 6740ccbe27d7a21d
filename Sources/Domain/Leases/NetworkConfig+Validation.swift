// SPDX-License-Identifier: Apache-2.0

import IPAddressing

extension NetworkConfig {
    /// Checks the fields by flannel's rules and fills in its defaults.
    ///
    /// Refused are a subnet length above 30 (IPv4) or shorter than the network's plus 2, a network smaller than a /28,
    /// and bounds that lie outside the network or off a subnet's boundary. One default differs from flannel's on
    /// purpose: without `Backend` it is vxlan, as flannel's own default there, `udp`, exists nowhere else.
    package init(_ fields: NetworkConfigFields) throws(NetworkConfigError) {
        ipv4 = try Self.ipv4(fields)
        if fields.enableIPv6 ?? false {
            guard let text = fields.ipv6Network else {
                throw NetworkConfigError(field: "IPv6Network", reason: "is missing although EnableIPv6 is true")
            }
            let network: IPv6Prefix = try Self.prefix(text, field: "IPv6Network")
            let defaultLength = network.length < 62 ? 64 : Int(network.length) + 2
            ipv6 = try Self.family(
                network,
                Cut(
                    length: fields.ipv6SubnetLength ?? defaultLength, longest: 126, min: fields.ipv6SubnetMin,
                    max: fields.ipv6SubnetMax, names: ("IPv6SubnetLen", "IPv6SubnetMin", "IPv6SubnetMax")))
        } else {
            ipv6 = nil
        }
        backend = try Self.backend(fields)
    }

    private static func ipv4(_ fields: NetworkConfigFields) throws(NetworkConfigError) -> Family<IPv4Address> {
        guard fields.enableIPv4 ?? true else {
            guard fields.enableIPv6 ?? false, let none = SubnetAllocator.Range(first: IPv4Prefix.noIPv4, last: .noIPv4)
            else {
                throw NetworkConfigError(
                    field: "EnableIPv4", reason: "is false and EnableIPv6 is not true; turn one of them on")
            }
            return Family(network: .noIPv4, range: none)
        }
        guard let text = fields.network else {
            throw NetworkConfigError(
                field: "Network", reason: "is missing; give the cluster's network, such as \"10.244.0.0/16\"")
        }
        let network: IPv4Prefix = try prefix(text, field: "Network")
        guard network.length <= 28 else {
            throw NetworkConfigError(field: "Network", reason: "\(network) is smaller than a /28")
        }
        let defaultLength = network.length < 22 ? 24 : Int(network.length) + 2
        return try family(
            network,
            Cut(
                length: fields.subnetLength ?? defaultLength, longest: 30, min: fields.subnetMin,
                max: fields.subnetMax, names: ("SubnetLen", "SubnetMin", "SubnetMax")))
    }

    /// How a network is cut, and what the fields are called that say so.
    private struct Cut {
        let length: Int
        let longest: Int
        let min: String?
        let max: String?
        let names: (length: String, min: String, max: String)
    }

    private static func family<Address>(
        _ network: Prefix<Address>, _ cut: Cut
    ) throws(NetworkConfigError) -> Family<Address> {
        guard cut.length <= cut.longest, cut.length >= Int(network.length) + 2 else {
            throw NetworkConfigError(
                field: cut.names.length,
                reason: "\(cut.length) does not fit \(network); give \(network.length + 2) to \(cut.longest)")
        }
        let step = Address.Bits(1) << Address.Bits(Address.Bits.bitWidth - cut.length)
        let defaultMin = Address(bits: network.address.bits + step)
        let defaultMax = network.last
        guard let lowest = Prefix(defaultMin, length: cut.length),
            let highest = Prefix(defaultMax, length: cut.length)
        else {
            throw NetworkConfigError(field: cut.names.length, reason: "\(cut.length) does not fit \(network)")
        }
        var (first, last) = (lowest, highest)
        if let min = cut.min { first = try bound(min, field: cut.names.min, length: cut.length, in: network) }
        if let max = cut.max { last = try bound(max, field: cut.names.max, length: cut.length, in: network) }
        guard let range = SubnetAllocator<Address>.Range(first: first, last: last) else {
            throw NetworkConfigError(
                field: cut.names.min, reason: "\(first.address) lies behind \(cut.names.max) \(last.address)")
        }
        return Family(network: network, range: range)
    }

    private static func bound<Address>(
        _ text: String, field: String, length: Int, in network: Prefix<Address>
    ) throws(NetworkConfigError) -> Prefix<Address> {
        guard let address = try? Address(parsing: text) else {
            throw NetworkConfigError(field: field, reason: "'\(text)' is not an address")
        }
        guard network.contains(address) else {
            throw NetworkConfigError(field: field, reason: "\(address) lies outside \(network)")
        }
        guard let subnet = Prefix(address, length: length), subnet.address == address else {
            throw NetworkConfigError(field: field, reason: "\(address) is not the start of a /\(length)")
        }
        return subnet
    }

    /// As flannel reads a network: bits behind the length are cut off, not refused.
    private static func prefix<Address>(_ text: String, field: String) throws(NetworkConfigError) -> Prefix<Address> {
        do {
            let (address, length) = try Prefix<Address>.split(text, separator: "/")
            guard let prefix = Prefix(address, length: length) else {
                throw AddressParsingError(text, expected: Address.expectedPrefix)
            }
            return prefix
        } catch {
            throw NetworkConfigError(field: field, reason: "\(error)")
        }
    }

    private static func backend(_ fields: NetworkConfigFields) throws(NetworkConfigError) -> BackendConfig {
        switch (fields.backendType ?? "vxlan").lowercased() {
        case "host-gw": return .hostGateway
        case "alloc", "none": return .none
        case "vxlan": break
        default:
            throw NetworkConfigError(
                field: "Backend.Type",
                reason: "'\(fields.backendType ?? "")' is not supported; use vxlan, host-gw or alloc")
        }
        var vxlan = VXLANConfig()
        if let vni = fields.vni {
            guard (1...0xFF_FFFF).contains(vni) else {
                throw NetworkConfigError(field: "Backend.VNI", reason: "\(vni) is not within 1 to 16777215")
            }
            vxlan.vni = UInt32(vni)
        }
        if let port = fields.port, port != 0 {
            guard let number = UInt16(exactly: port) else {
                throw NetworkConfigError(field: "Backend.Port", reason: "\(port) is not within 0 to 65535")
            }
            vxlan.port = number
        }
        if let mtu = fields.mtu, mtu != 0 {
            guard (68...65_535).contains(mtu) else {
                throw NetworkConfigError(field: "Backend.MTU", reason: "\(mtu) is not within 68 to 65535")
            }
            vxlan.mtu = mtu
        }
        vxlan.gbp = fields.gbp ?? false
        vxlan.learning = fields.learning ?? false
        vxlan.directRouting = fields.directRouting ?? false
        return .vxlan(vxlan)
    }
}
