// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing
import Leases

extension NetworkDocument {
    /// The network and how full it is, from what etcd holds.
    init(_ reading: ConfigReading, leases: LeaseTable, key: String = "/coreos.com/network/config") {
        let revision = "\(leases.revision)"
        switch reading {
        case .missing, .invalid: self.init(revision: revision, problem: reading.problem(at: key) ?? "")
        case .valid(let config):
            let reservations = leases.leases.filter { $0.grantID == nil }.map(\.subnet)
            let reserved = Self.count(of: reservations, in: config.ipv4.range)
            let taken = Self.count(of: leases.takenKeys.map(\.subnet), in: config.ipv4.range)
            self.init(
                revision: revision, config: NetworkConfigDocument(config), problem: nil,
                range: SubnetRangeDocument(config.ipv4.range),
                ipv6Range: config.ipv6.map { SubnetRangeDocument($0.range) },
                used: taken - reserved, reserved: reserved, free: config.subnetCount - taken)
        }
    }

    private init(revision: String, problem: String) {
        self.init(
            revision: revision, config: nil, problem: problem, range: nil, ipv6Range: nil, used: 0, reserved: 0, free: 0
        )
    }

    /// How many subnets of the range the blocks touch.
    private static func count(of blocks: [IPv4Prefix], in range: SubnetAllocator<IPv4Address>.Range) -> Int {
        let step = UInt32(1) << (32 - UInt32(range.first.length))
        var touched: Set<UInt32> = []
        for block in blocks {
            let low = max(block.address.bits, range.first.address.bits) / step
            let high = min(block.last.bits, range.last.last.bits) / step
            if low <= high { touched.formUnion(low...high) }
        }
        return touched.count
    }
}

extension NetworkConfigDocument {
    init(_ config: NetworkConfig) {
        var backend = Backend(type: config.backend.type)
        if case .vxlan(let vxlan) = config.backend {
            backend.vni = vxlan.vni
            backend.port = vxlan.port
            backend.mtu = vxlan.mtu
            backend.gbp = vxlan.gbp ? true : nil
            backend.learning = vxlan.learning ? true : nil
            backend.directRouting = vxlan.directRouting ? true : nil
        }
        let ipv4 = config.ipv4
        self.init(
            network: "\(config.network)", subnetLength: ipv4.subnetLength, subnetMin: "\(ipv4.range.first.address)",
            subnetMax: "\(ipv4.range.last.address)", backend: backend)
        guard let ipv6 = config.ipv6 else { return }
        enableIPv6 = true
        ipv6Network = "\(ipv6.network)"
        ipv6SubnetLength = ipv6.subnetLength
        ipv6SubnetMin = "\(ipv6.range.first.address)"
        ipv6SubnetMax = "\(ipv6.range.last.address)"
    }
}

extension SubnetRangeDocument {
    init<Address: BinaryAddress>(_ range: SubnetAllocator<Address>.Range) {
        let size = UInt64(clamping: range.lastIndex)
        self.init(
            first: "\(range.first)", last: "\(range.last)", subnetLength: Int(range.first.length),
            size: Int(min(size, 1 << 53 - 1)) + 1)
    }
}
