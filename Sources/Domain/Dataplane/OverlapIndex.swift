// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// Places by subnet, found by overlap: at a cost that grows with what overlaps, not with what there is, as long as
/// the subnets have few different lengths.
struct OverlapIndex: Sendable {
    private var slots = SlotIndex<IPv4Prefix>()
    /// How many subnets there are of each length.
    private var counts = [Int](repeating: 0, count: 33)

    mutating func insert(_ slot: Int32, for subnet: IPv4Prefix) {
        slots.insert(slot, for: subnet)
        counts[Int(subnet.length)] += 1
    }

    mutating func remove(_ slot: Int32, for subnet: IPv4Prefix) {
        slots.remove(slot, for: subnet)
        counts[Int(subnet.length)] -= 1
    }

    func forEachExact(_ subnet: IPv4Prefix, _ body: (Int32) -> Void) { slots.forEach(subnet, body) }

    func forEachOverlap(_ subnet: IPv4Prefix, _ body: (Int32) -> Void) {
        for length in 0...32 where counts[length] > 0 {
            if length <= Int(subnet.length) {
                if let around = IPv4Prefix(subnet.address, length: length) { slots.forEach(around, body) }
            } else {
                forEachInside(subnet, length, body)
            }
        }
    }

    /// By trying every block of that length, or by looking at every subnet, whichever is less.
    private func forEachInside(_ subnet: IPv4Prefix, _ length: Int, _ body: (Int32) -> Void) {
        let blocks = 1 << (length - Int(subnet.length))
        guard blocks <= counts.reduce(0, +) else {
            for other in slots.keys where Int(other.length) == length && subnet.contains(other) {
                slots.forEach(other, body)
            }
            return
        }
        for block in 0..<blocks {
            let bits = subnet.address.bits + UInt32(block) << UInt32(32 - length)
            if let inside = IPv4Prefix(IPv4Address(bits: bits), length: length) { slots.forEach(inside, body) }
        }
    }
}
