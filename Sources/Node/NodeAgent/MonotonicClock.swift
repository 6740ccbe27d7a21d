// SPDX-License-Identifier: Apache-2.0

package import Leases

/// The clock that leases live by: the kernel's CLOCK_BOOTTIME, which runs on while the machine sleeps and which nobody
/// sets, counted from the daemon's start. A test gives its own.
package struct MonotonicClock: Sendable {
    private let read: @Sendable () -> MonotonicTime
    private let wait: @Sendable (MonotonicTime) async throws -> Void

    package init() {
        let start = ContinuousClock.now
        read = { MonotonicTime(sinceStart: start.duration(to: .now)) }
        wait = { time in
            try await Task.sleep(until: start.advanced(by: time.sinceStart), clock: .continuous)
        }
    }

    /// - Parameter sleep: Returns once the clock shows that time; throws where its task was cancelled.
    package init(
        now: @escaping @Sendable () -> MonotonicTime,
        sleep: @escaping @Sendable (_ until: MonotonicTime) async throws -> Void
    ) {
        read = now
        wait = sleep
    }

    package var now: MonotonicTime { read() }

    package func sleep(until time: MonotonicTime) async throws { try await wait(time) }

    /// A reading counted from the machine's start instead, as /proc/uptime counts: every process has the same.
    package func sinceBoot(_ time: MonotonicTime) -> Duration {
        ContinuousClock().systemEpoch.duration(to: .now) + (time - now)
    }
}
