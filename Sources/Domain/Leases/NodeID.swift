// SPDX-License-Identifier: Apache-2.0

/// The name by which a node is known in its lease: `--node-name`, the host name by default.
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static func < (left: Self, right: Self) -> Bool { left.name < right.name }

    package var description: String { name }

    /// A number that spreads names evenly and is the same on every machine and in every run (FNV-1a, then the
    /// finaliser of SplitMix64: FNV alone leaves the upper bits of similar names alike).
    package var hash64: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return SplitMix64.mix(hash)
    }
}
