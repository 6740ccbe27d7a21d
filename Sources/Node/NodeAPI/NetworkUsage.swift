// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

/// How many subnets of the range are taken, and by what.
///
/// Invariant: `used + reserved + free` is the range's size. A lease of another size than the config's, as an older
/// config may have left them, takes every subnet that it touches.
struct NetworkUsage: Hashable, Sendable {
    var used = 0
    var reserved = 0
    var free: Int

    init(_ config: NetworkConfig, index: LeaseIndex, unreadable: [SubnetKey]) {
        free = config.subnetCount
        // The other family's are taken along with these.
        if config.hasIPv4 {
            take(config.ipv4, index, unreadable, \.ipv4Subnet)
        } else if let ipv6 = config.ipv6 {
            take(ipv6, index, unreadable, \.ipv6Subnet)
        }
    }

    private mutating func take<Address>(
        _ family: NetworkConfig.Family<Address>, _ index: LeaseIndex, _ unreadable: [SubnetKey],
        _ block: KeyPath<SubnetKey, Prefix<Address>?>
    ) {
        let range = family.range
        let shift = Address.Bits(Address.Bits.bitWidth - family.subnetLength)
        let (first, last) = (range.first.address.bits, range.last.last.bits)
        func place(_ bits: Address.Bits) -> Int { Int(clamping: (bits - first) >> shift) }
        // The next place that nothing counted so far covers.
        var cursor = 0
        func count(_ block: Prefix<Address>?, isReserved: Bool) {
            guard let block else { return }
            let low = max(block.address.bits, first)
            let high = min(block.last.bits, last)
            guard low <= high else { return }
            let end = min(place(high), .max - 1) + 1
            let taken = max(0, end - max(place(low), cursor))
            cursor = max(cursor, end)
            free -= taken
            if isReserved { reserved += taken } else { used += taken }
        }
        guard !unreadable.isEmpty else {
            for lease in index.leases { count(lease.key[keyPath: block], isReserved: lease.grantID == nil) }
            return
        }
        let all =
            index.leases.map { ($0.key, $0.grantID == nil) } + unreadable.map { ($0, false) }
        for (key, isReserved) in all.sorted(by: { $0.0 < $1.0 }) {
            count(key[keyPath: block], isReserved: isReserved)
        }
    }
}
