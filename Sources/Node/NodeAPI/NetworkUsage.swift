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
        let range = config.ipv4.range
        let shift = UInt32(32 - config.ipv4.subnetLength)
        let (first, last) = (range.first.address.bits, range.last.last.bits)
        free = config.subnetCount
        // The next place that nothing counted so far covers.
        var cursor = 0
        func count(_ block: IPv4Prefix, isReserved: Bool) {
            let low = max(block.address.bits, first)
            let high = min(block.last.bits, last)
            guard low <= high else { return }
            let end = Int((high - first) >> shift) + 1
            let taken = max(0, end - max(Int((low - first) >> shift), cursor))
            cursor = max(cursor, end)
            free -= taken
            if isReserved { reserved += taken } else { used += taken }
        }
        guard !unreadable.isEmpty else {
            for lease in index.leases { count(lease.subnet, isReserved: lease.grantID == nil) }
            return
        }
        let all =
            index.leases.map { ($0.subnet, $0.grantID == nil) } + unreadable.map { ($0.subnet, false) }
        for (subnet, isReserved) in all.sorted(by: { $0.0 < $1.0 }) { count(subnet, isReserved: isReserved) }
    }
}
