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
            let reservations = leases.leases.filter { $0.grantID == nil }.map(\.key)
            let reserved = Self.count(of: reservations, in: config)
            let taken = Self.count(of: leases.takenKeys, in: config)
            self.init(
                revision: revision, config: NetworkConfigDocument(config), problem: nil,
                range: config.hasIPv4 ? SubnetRangeDocument(config.ipv4.range) : nil,
                ipv6Range: config.ipv6.map { SubnetRangeDocument($0.range) },
                used: taken - reserved, reserved: reserved, free: config.subnetCount - taken)
        }
    }

    private init(revision: String, problem: String) {
        self.init(
            revision: revision, config: nil, problem: problem, range: nil, ipv6Range: nil, used: 0, reserved: 0, free: 0
        )
    }

    private static func count(of keys: [SubnetKey], in config: NetworkConfig) -> Int {
        if !config.hasIPv4, let ipv6 = config.ipv6 {
            return count(of: keys.compactMap(\.ipv6Subnet), in: ipv6.range)
        }
        return count(of: keys.compactMap(\.ipv4Subnet), in: config.ipv4.range)
    }

    /// How many subnets of the range the blocks touch.
    private static func count<Address>(
        of blocks: [Prefix<Address>], in range: SubnetAllocator<Address>.Range
    ) -> Int {
        let step = Address.Bits(1) << Address.Bits(Address.Bits.bitWidth - Int(range.first.length))
        // Blocks of one subnet are counted one by one; what is larger than the range can't be.
        var touched: Set<Address.Bits> = []
        for block in blocks {
            let low = max(block.address.bits, range.first.address.bits) / step
            let high = min(block.last.bits, range.last.last.bits) / step
            guard low <= high else { continue }
            var place = low
            while place <= high, touched.count < 1 << 24 {
                touched.insert(place)
                place += 1
            }
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
