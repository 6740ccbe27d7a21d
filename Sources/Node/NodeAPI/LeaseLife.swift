// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Leases

/// How long a lease still lives, as etcd says.
struct LeaseLife: Hashable, Sendable {
    /// Whole seconds, rounded down.
    let seconds: Int
    let expiresAt: String

    init(remaining: Duration, now: Date = .now) {
        seconds = Int(max(remaining, .zero).components.seconds)
        expiresAt = Self.text(of: now.addingTimeInterval(Double(seconds)))
    }

    /// RFC 3339, in UTC, whole seconds.
    static func text(of date: Date) -> String { date.formatted(.iso8601) }

    /// The wall clock's reading at a time of the monotonic clock.
    static func text(of time: MonotonicTime, now: MonotonicTime) -> String {
        let ahead = (time - now).components
        return text(of: Date.now.addingTimeInterval(Double(ahead.seconds) + Double(ahead.attoseconds) * 1e-18))
    }
}
