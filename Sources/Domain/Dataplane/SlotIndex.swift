// SPDX-License-Identifier: Apache-2.0

/// Places by a key that nearly always only one has: the first without an allocation of its own.
struct SlotIndex<Key: Hashable & Sendable>: Sendable {
    private var first: [Key: Int32] = [:]
    private var more: [Key: [Int32]] = [:]

    mutating func insert(_ slot: Int32, for key: Key) {
        guard first[key] != nil else {
            first[key] = slot
            return
        }
        more[key, default: []].append(slot)
    }

    mutating func remove(_ slot: Int32, for key: Key) {
        if first[key] == slot {
            first[key] = more[key]?.popLast()
        } else {
            more[key]?.removeAll { $0 == slot }
        }
        if more[key]?.isEmpty ?? false { more[key] = nil }
    }

    func forEach(_ key: Key, _ body: (Int32) -> Void) {
        guard let slot = first[key] else { return }
        body(slot)
        guard !more.isEmpty, let others = more[key] else { return }
        for other in others { body(other) }
    }

    var keys: some Sequence<Key> { first.keys }
}
