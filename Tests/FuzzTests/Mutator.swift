// SPDX-License-Identifier: Apache-2.0

import Leases

/// Makes inputs out of a corpus; the same ones from the same seed.
struct Mutator {
    let corpus: [[UInt8]]
    let words: [[UInt8]]

    /// The longest input: what others write into etcd has at most 1.5 MB, and what breaks at that breaks at less.
    static let longest = 1 << 16

    /// One input of many; each can be made without those before it.
    func input(seed: UInt64, number: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ number)
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) { change(&bytes, &random) }
        return Array(bytes.prefix(Self.longest))
    }

    private func change(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let place = bytes.isEmpty ? 0 : Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...16, using: &random))
        switch Int.random(in: 0..<9, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where place < bytes.count:
            bytes[place] =
                [0, 1, 0x20, 0x22, 0x2F, 0x30, 0x39, 0x7F, 0x80, 0xC0, 0xFE, 0xFF].randomElement(using: &random) ?? 0
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
        case 5:
            let other = corpus.randomElement(using: &random) ?? []
            let cut = Int.random(in: 0...other.count, using: &random)
            bytes.replaceSubrange(place..<bytes.count, with: other[cut...])
        case 6: bytes.removeSubrange(place...)
        case 7:
            // Now and then very many of the same: what recurses or squares shows then.
            let piece = place < end ? Array(bytes[place..<end]) : [UInt8(ascii: "[")]
            let times = [2, 8, 64, 2_000].randomElement(using: &random) ?? 2
            guard piece.count * times <= Self.longest else { return }
            bytes.insert(contentsOf: repeatElement(piece, count: times).joined(), at: place)
        default: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [0], at: place)
        }
    }
}
