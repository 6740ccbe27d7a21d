// SPDX-License-Identifier: Apache-2.0

/// Wanted against seen, for one kind of entry: keeps what is still to be done current with every change of either
/// side, so that nothing needs to be compared again.
///
/// Invariant: a key is pending exactly where wanted and seen differ. Applying what is pending and reporting each
/// success with ``see(_:_:)`` makes the two equal; what failed simply stays pending.
package struct DeltaTracker<Key: Hashable & Comparable & Sendable, Value: Hashable & Sendable>: Sendable {
    private struct Slot {
        var wanted: Value?
        var seen: Value?
    }

    private var slots: [Key: Slot] = [:]
    private var pendingKeys: Set<Key> = []

    package init() {}

    package mutating func reserveCapacity(_ count: Int) { slots.reserveCapacity(count) }

    /// What should be; `nil`: nothing should.
    package mutating func want(_ key: Key, _ value: Value?) {
        update(key) { $0.wanted = value }
    }

    /// What the kernel has; `nil`: nothing. Returns whether that is news, and not what is wanted: drift, unless the
    /// change was ours.
    @discardableResult
    package mutating func see(_ key: Key, _ value: Value?) -> Bool {
        var isDrift = false
        update(key) { slot in
            isDrift = slot.seen != value && slot.wanted != value
            slot.seen = value
        }
        return isDrift
    }

    /// Nothing is wanted any more; what was seen stays so.
    package mutating func unwantAll() {
        for (key, slot) in slots where slot.wanted != nil { want(key, nil) }
    }

    /// The kernel's whole table: what it does not list is not there. Gives each key to the body that has drifted.
    package mutating func seeAll(_ table: [Key: Value], _ drifted: (Key) -> Void = { _ in }) {
        for (key, slot) in slots where slot.seen != nil && table[key] == nil {
            if see(key, nil) { drifted(key) }
        }
        for (key, value) in table where see(key, value) { drifted(key) }
    }

    package func wanted(_ key: Key) -> Value? { slots[key]?.wanted }
    package func seen(_ key: Key) -> Value? { slots[key]?.seen }

    package private(set) var wantedCount = 0
    package private(set) var seenCount = 0
    package var pendingCount: Int { pendingKeys.count }
    package var hasPending: Bool { !pendingKeys.isEmpty }
    package func isPending(_ key: Key) -> Bool { pendingKeys.contains(key) }

    /// Keys whose wanted value the kernel lacks or has otherwise, with what it has, in order: its tables take 65,000
    /// of them faster one beside the other than here and there.
    package var pendingUpdates: [(key: Key, wanted: Value, seen: Value?)] {
        var found: [(key: Key, wanted: Value, seen: Value?)] = []
        forEachPending { key, slot in
            if let wanted = slot.wanted { found.append((key, wanted, slot.seen)) }
        }
        found.sort { $0.key < $1.key }
        return found
    }

    /// Keys that the kernel has and nobody wants, in order.
    package var pendingRemovals: [(key: Key, seen: Value)] {
        var found: [(key: Key, seen: Value)] = []
        forEachPending { key, slot in
            if slot.wanted == nil, let seen = slot.seen { found.append((key, seen)) }
        }
        found.sort { $0.key < $1.key }
        return found
    }

    /// Whether looking at every slot costs less than looking for the pending ones.
    private var isMostlyPending: Bool { pendingKeys.count > slots.count / 4 }

    private func forEachPending(_ body: (Key, Slot) -> Void) {
        guard !isMostlyPending else {
            for (key, slot) in slots where slot.wanted != slot.seen { body(key, slot) }
            return
        }
        for key in pendingKeys {
            if let slot = slots[key] { body(key, slot) }
        }
    }

    /// Everything that was pending was done, but for those keys: the same as ``see(_:_:)`` of each, in one pass where
    /// they are many.
    package mutating func settleAll(except failed: Set<Key>) {
        guard isMostlyPending, pendingKeys.count > 256 else {
            for key in pendingKeys where !failed.contains(key) { see(key, wanted(key)) }
            return
        }
        var gone = 0
        var index = slots.startIndex
        while index != slots.endIndex {
            let (key, slot) = slots[index]
            if slot.wanted != slot.seen, failed.isEmpty || !failed.contains(key) {
                seenCount += (slot.wanted == nil ? 0 : 1) - (slot.seen == nil ? 0 : 1)
                slots.values[index].seen = slot.wanted
                if slot.wanted == nil { gone += 1 }
            }
            slots.formIndex(after: &index)
        }
        if gone == slots.count {
            slots = [:]
        } else if gone > 0 {
            slots = slots.filter { $0.value.wanted != nil || $0.value.seen != nil }
        }
        pendingKeys = failed.isEmpty ? [] : pendingKeys.intersection(failed)
    }

    private mutating func update(_ key: Key, _ change: (inout Slot) -> Void) {
        // Looked for once: with 65,000 peers most of the time goes into hashing.
        let index = slots.index(forKey: key)
        var slot = index.map { slots.values[$0] } ?? Slot()
        wantedCount -= slot.wanted == nil ? 0 : 1
        seenCount -= slot.seen == nil ? 0 : 1
        change(&slot)
        wantedCount += slot.wanted == nil ? 0 : 1
        seenCount += slot.seen == nil ? 0 : 1
        switch (index, slot.wanted == nil && slot.seen == nil) {
        case (let index?, false): slots.values[index] = slot
        case (let index?, true): slots.remove(at: index)
        case (nil, false): slots[key] = slot
        case (nil, true): break
        }
        if slot.wanted == slot.seen {
            settle(key)
        } else {
            pendingKeys.insert(key)
        }
    }

    /// When the last of many is done, their set's memory goes too.
    private mutating func settle(_ key: Key) {
        guard !pendingKeys.isEmpty, pendingKeys.remove(key) != nil, pendingKeys.isEmpty else { return }
        if pendingKeys.capacity > 256 { pendingKeys = [] }
    }
}
