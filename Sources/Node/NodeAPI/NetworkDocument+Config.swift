// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing
import Leases

extension NetworkDocument {
    /// - Parameter problem: why what etcd says now is not in force, where something else is.
    init(_ reading: ConfigReading?, index: LeaseIndex, unreadable: [SubnetKey], configKey: String, problem: String?) {
        let reading = reading ?? .missing
        if case .valid(let config) = reading {
            let usage = NetworkUsage(config, index: index, unreadable: unreadable)
            self.init(
                revision: "\(index.revision)", config: NetworkConfigDocument(config), problem: problem,
                range: config.hasIPv4 ? SubnetRangeDocument(config.ipv4) : nil,
                ipv6Range: config.ipv6.map { SubnetRangeDocument($0) },
                used: usage.used, reserved: usage.reserved, free: usage.free)
            return
        }
        let reserved = index.leases.count { $0.grantID == nil }
        self.init(
            revision: "\(index.revision)", config: nil, problem: reading.problem(at: configKey), range: nil,
            ipv6Range: nil,
            used: index.leases.count - reserved, reserved: reserved, free: 0)
    }
}

extension SubnetRangeDocument {
    init<Address>(_ family: NetworkConfig.Family<Address>) {
        let (range, limit) = (family.range, Address.Bits(clamping: Self.largestSize - 1))
        self.init(
            first: "\(range.first)", last: "\(range.last)", subnetLength: family.subnetLength,
            size: Int(min(range.lastIndex, limit)) + 1)
    }

    /// The largest number that JavaScript holds exactly, and its successor.
    private static var largestSize: Int { 1 << 53 }
}

extension NetworkConfigDocument {
    init(_ config: NetworkConfig) {
        let ipv4 = config.ipv4
        self.init(
            network: "\(ipv4.network)", subnetLength: ipv4.subnetLength, subnetMin: "\(ipv4.range.first.address)",
            subnetMax: "\(ipv4.range.last.address)", backend: Backend(config.backend))
        if !config.hasIPv4 { enableIPv4 = false }
        guard let ipv6 = config.ipv6 else { return }
        enableIPv6 = true
        ipv6Network = "\(ipv6.network)"
        ipv6SubnetLength = ipv6.subnetLength
        ipv6SubnetMin = "\(ipv6.range.first.address)"
        ipv6SubnetMax = "\(ipv6.range.last.address)"
    }
}

extension NetworkConfigDocument.Backend {
    init(_ config: BackendConfig) {
        guard case .vxlan(let vxlan) = config else {
            self.init(type: config.type)
            return
        }
        self.init(
            type: config.type, vni: vxlan.vni, port: vxlan.port, mtu: vxlan.mtu, gbp: vxlan.gbp,
            learning: vxlan.learning, directRouting: vxlan.directRouting)
    }
}
