// SPDX-License-Identifier: Apache-2.0

package import Leases

/// Which keys are left alone for a while because they keep failing, longer every time, so that they don't keep the
/// others busy.
///
/// The first `grace` strikes are free. A key that has been quiet for `memory` after its hold starts anew.
package struct HoldTable<Key: Hashable & Sendable>: Sendable {
    private struct Record {
        var strikes: Int
        var until: MonotonicTime
    }

    private let grace: Int
    private let first: Duration
    private let limit: Duration
    private let memory: Duration
    private var records: [Key: Record] = [:]

    package init(grace: Int, first: Duration, limit: Duration, memory: Duration) {
        self.grace = grace
        self.first = first
        self.limit = limit
        self.memory = memory
    }

    package var isEmpty: Bool { records.isEmpty }

    /// It failed (again); `true` where a hold begins that was none before.
    @discardableResult
    package mutating func strike(_ key: Key, at now: MonotonicTime) -> Bool {
        var record = records[key] ?? Record(strikes: 0, until: now)
        if record.until + memory < now { record.strikes = 0 }
        record.strikes += 1
        let held = record.strikes - grace
        record.until = held > 0 ? now + min(limit, first * (1 << min(held - 1, 16))) : now
        records[key] = record
        return held == 1
    }

    package mutating func clear(_ key: Key) { records[key] = nil }

    package mutating func clearAll() { records = [:] }

    package func holds(_ key: Key, at now: MonotonicTime) -> Bool {
        guard !records.isEmpty, let record = records[key] else { return false }
        return now < record.until
    }

    /// Whether it is being held, or was when it last came up.
    package func isNotorious(_ key: Key) -> Bool { (records[key]?.strikes ?? 0) > grace }

    /// Those that are being held, in no order.
    package func held(at now: MonotonicTime) -> [Key] { records.compactMap { now < $0.value.until ? $0.key : nil } }

    /// When the first hold ends that has not yet; forgets keys that were quiet for long.
    package mutating func nextEnd(after now: MonotonicTime) -> MonotonicTime? {
        guard !records.isEmpty else { return nil }
        records = records.filter { now <= $0.value.until + memory }
        return records.values.lazy.map(\.until).filter { now < $0 }.min()
    }
}
