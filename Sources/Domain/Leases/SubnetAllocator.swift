// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// Chooses a free subnet for a node: pure, the same answer for the same question on every machine.
///
/// Each node walks the range in an order of its own that its name decides, so that nodes that start together and see
/// the same free subnets rarely try for the same one. When the walk keeps meeting taken ones (the range is nearly
/// full), the next free subnet behind the walk's first step is taken, so that a free one is always found.
package struct SubnetAllocator<Address: BinaryAddress>: Sendable {
    /// Bounds of the range, first and last subnet included, and the length of a subnet.
    package struct Range: Hashable, Sendable {
        package let first: Prefix<Address>
        package let last: Prefix<Address>

        /// Both of one length, the first not behind the last.
        package init?(first: Prefix<Address>, last: Prefix<Address>) {
            guard first.length == last.length, first <= last else { return nil }
            self.first = first
            self.last = last
        }

        var shift: Int { Address.Bits.bitWidth - Int(first.length) }

        /// The place of the last subnet, counted from zero: a count would overflow for ::/0.
        package var lastIndex: Address.Bits { (last.address.bits - first.address.bits) >> Address.Bits(shift) }

        func subnet(at index: Address.Bits) -> Prefix<Address>? {
            Prefix(Address(bits: first.address.bits + index << Address.Bits(shift)), length: Int(first.length))
        }

        /// The places that a block covers, `nil` where it lies outside.
        func indexes(of block: Prefix<Address>) -> ClosedRange<Address.Bits>? {
            let low = max(block.address.bits, first.address.bits)
            let high = min(block.last.bits, last.last.bits)
            guard low <= high else { return nil }
            return (low - first.address.bits) >> Address.Bits(shift)...(high - first.address.bits)
                >> Address.Bits(shift)
        }
    }

    package let range: Range
    /// Taken places: sorted, apart.
    private let taken: [ClosedRange<Address.Bits>]

    package init(range: Range, taken blocks: some Sequence<Prefix<Address>>) {
        self.range = range
        var merged: [ClosedRange<Address.Bits>] = []
        for next in blocks.compactMap(range.indexes(of:)).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, next.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
            } else {
                merged.append(next)
            }
        }
        taken = merged
    }

    package func isFree(_ subnet: Prefix<Address>) -> Bool {
        guard subnet.length == range.first.length, let place = range.indexes(of: subnet),
            range.subnet(at: place.lowerBound) == subnet
        else { return false }
        return takenRange(at: place.lowerBound) == nil
    }

    /// A free subnet for the node, `nil` where the range is full.
    package func choose(for node: NodeID) -> Prefix<Address>? {
        var walk = SplitMix64(seed: node.hash64)
        let last = range.lastIndex
        var start: Address.Bits = 0
        for step in 0..<16 {
            let place = Address.Bits.random(in: 0...last, using: &walk)
            if step == 0 { start = place }
            if takenRange(at: place) == nil { return range.subnet(at: place) }
        }
        return nextFree(from: start).flatMap(range.subnet(at:))
    }

    private func nextFree(from start: Address.Bits) -> Address.Bits? {
        let last = range.lastIndex
        var place = start
        var wrapped = false
        while let block = takenRange(at: place) {
            if block.upperBound >= last {
                if wrapped { return nil }
                wrapped = true
                place = 0
            } else {
                place = block.upperBound + 1
            }
            if wrapped, place > start { return nil }
        }
        return place
    }

    private func takenRange(at place: Address.Bits) -> ClosedRange<Address.Bits>? {
        var low = 0
        var high = taken.count
        while low < high {
            let middle = (low + high) / 2
            if taken[middle].upperBound < place { low = middle + 1 } else { high = middle }
        }
        guard low < taken.count, taken[low].contains(place) else { return nil }
        return taken[low]
    }
}
