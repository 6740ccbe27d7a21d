// SPDX-License-Identifier: Apache-2.0

/// A reading of a clock that only runs forward, also while the machine sleeps, and that nobody sets: time since some
/// start. Leases live and end by it; the wall clock may jump as it likes.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    package let sinceStart: Duration

    package init(sinceStart: Duration) { self.sinceStart = sinceStart }

    package static func < (left: Self, right: Self) -> Bool { left.sinceStart < right.sinceStart }

    package static func + (time: Self, step: Duration) -> Self { Self(sinceStart: time.sinceStart + step) }

    package static func - (later: Self, earlier: Self) -> Duration { later.sinceStart - earlier.sinceStart }
}
