// SPDX-License-Identifier: Apache-2.0

/// Wanted against seen, for one kind of entry: keeps what is still to be done current with every change of either
/// side, so that nothing needs to be compared again.
///
/// Invariant: a key is pending exactly where wanted and seen differ. Applying what is pending and reporting each
/// success with ``see(_:_:)`` makes the two equal; what failed simply stays pending.
package struct DeltaTracker<Key: Hashable & Sendable, Value: Hashable & Sendable>: Sendable {
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

    /// Keys whose wanted value the kernel lacks or has otherwise, with what it has.
    package var pendingUpdates: some Sequence<(key: Key, wanted: Value, seen: Value?)> {
        pendingKeys.lazy.compactMap { key in
            guard let slot = slots[key], let wanted = slot.wanted else { return nil }
            return (key, wanted, slot.seen)
        }
    }

    /// Keys that the kernel has and nobody wants.
    package var pendingRemovals: some Sequence<(key: Key, seen: Value)> {
        pendingKeys.lazy.compactMap { key in
            guard let slot = slots[key], slot.wanted == nil, let seen = slot.seen else { return nil }
            return (key, seen)
        }
    }

    private mutating func update(_ key: Key, _ change: (inout Slot) -> Void) {
        var slot = slots[key] ?? Slot()
        wantedCount -= slot.wanted == nil ? 0 : 1
        seenCount -= slot.seen == nil ? 0 : 1
        change(&slot)
        wantedCount += slot.wanted == nil ? 0 : 1
        seenCount += slot.seen == nil ? 0 : 1
        slots[key] = slot.wanted == nil && slot.seen == nil ? nil : slot
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
