// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// Places by subnet, found by overlap: at a cost that grows with what overlaps, not with what there is, as long as
/// the subnets have few different lengths.
struct OverlapIndex<Address: BinaryAddress>: Sendable {
    private var slots = SlotIndex<Prefix<Address>>()
    /// How many subnets there are of each length.
    private var counts = [Int](repeating: 0, count: Address.Bits.bitWidth + 1)

    mutating func insert(_ slot: Int32, for subnet: Prefix<Address>) {
        slots.insert(slot, for: subnet)
        counts[Int(subnet.length)] += 1
    }

    mutating func remove(_ slot: Int32, for subnet: Prefix<Address>) {
        slots.remove(slot, for: subnet)
        counts[Int(subnet.length)] -= 1
    }

    func forEachExact(_ subnet: Prefix<Address>, _ body: (Int32) -> Void) { slots.forEach(subnet, body) }

    func forEachOverlap(_ subnet: Prefix<Address>, _ body: (Int32) -> Void) {
        for length in counts.indices where counts[length] > 0 {
            if length <= Int(subnet.length) {
                if let around = Prefix(subnet.address, length: length) { slots.forEach(around, body) }
            } else {
                forEachInside(subnet, length, body)
            }
        }
    }

    /// By trying every block of that length, or by looking at every subnet, whichever is less.
    private func forEachInside(_ subnet: Prefix<Address>, _ length: Int, _ body: (Int32) -> Void) {
        let depth = length - Int(subnet.length)
        guard depth < Int.bitWidth - 1, 1 << depth <= counts.reduce(0, +) else {
            for other in slots.keys where Int(other.length) == length && subnet.contains(other) {
                slots.forEach(other, body)
            }
            return
        }
        for block in 0..<(1 << depth) {
            let place = Address.Bits(block) << Address.Bits(Address.Bits.bitWidth - length)
            let bits = subnet.address.bits + place
            if let inside = Prefix(Address(bits: bits), length: length) { slots.forEach(inside, body) }
        }
    }
}
