// SPDX-License-Identifier: Apache-2.0

package import Leases

/// The clock that leases live by: the kernel's CLOCK_BOOTTIME, which runs on while the machine sleeps and which nobody
/// sets, counted from the daemon's start.
package struct MonotonicClock: Sendable {
    private let start = ContinuousClock.now

    package init() {}

    package var now: MonotonicTime { MonotonicTime(sinceStart: start.duration(to: .now)) }
}
