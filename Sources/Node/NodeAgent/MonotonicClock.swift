// SPDX-License-Identifier: Apache-2.0

package import Leases

/// The clock that leases live by: the kernel's CLOCK_BOOTTIME, which runs on while the machine sleeps and which nobody
/// sets, counted from the daemon's start.
package struct MonotonicClock: Sendable {
    private let start = ContinuousClock.now

    package init() {}

    package var now: MonotonicTime { MonotonicTime(sinceStart: start.duration(to: .now)) }

    /// The same reading counted from the machine's start, as /proc/uptime counts: every process has the same.
    package func sinceBoot(_ time: MonotonicTime) -> Duration {
        ContinuousClock().systemEpoch.duration(to: start) + time.sinceStart
    }
}
