// SPDX-License-Identifier: Apache-2.0

/// What is to happen, by time; of two things at one time, what was put in first.
struct EventQueue<Event> {
    private struct Item {
        let time: Ticks
        let number: Int
        let event: Event

        func isBefore(_ other: Item) -> Bool { (time, number) < (other.time, other.number) }
    }

    /// A binary heap: no item is before its parent.
    private var items: [Item] = []
    private var count = 0

    mutating func push(_ event: Event, at time: Ticks) {
        count += 1
        items.append(Item(time: time, number: count, event: event))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].isBefore(items[parent]) else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (time: Ticks, event: Event)? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return (first.time, first.event) }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < items.count && items[child].isBefore(items[least]) {
                least = child
            }
            guard least != parent else { break }
            items.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }
}
