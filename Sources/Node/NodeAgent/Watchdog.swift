// SPDX-License-Identifier: Apache-2.0

import Leases
package import Logging
import ServiceLifecycle

/// Tells the service manager that the daemon lives, for as long as its loops do (systemd.service(5), `WatchdogSec=`).
///
/// A process that runs proves little: a loop that waits for ever for one answer keeps neither lease nor routes. A loop
/// that hangs silences this, and the manager starts the daemon anew, which harms nobody: lease and entries outlive it.
/// The watcher of the leases is not asked, because it only reads what etcd's client hands it, and that has limits of
/// its own for silence; nor is etcd: no restart mends an outage.
package struct Watchdog: Service {
    private let loops: [LoopPulse]
    /// Half of what the manager waits for; the other half is for a loop whose answer comes late.
    private let interval: Duration
    private let clock: MonotonicClock
    private let logger: Logger
    private let feed: @Sendable () -> Void

    package init(
        loops: [LoopPulse], interval: Duration, clock: MonotonicClock, logger: Logger,
        feed: @escaping @Sendable () -> Void
    ) {
        self.loops = loops
        self.interval = interval
        self.clock = clock
        self.logger = logger
        self.feed = feed
    }

    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                // Every loop is asked, also where one before it hangs.
                var silent = loops.filter { !$0.ask() }
                for name in silent.map(\.name).sorted() {
                    logger.error(
                        "a loop has not come round; the service manager will start the daemon anew if that goes on",
                        metadata: ["loop": "\(name)", "within": "\(interval)"])
                }
                // To ask only at the next interval would be at the very time when the manager's patience ends.
                while !silent.isEmpty {
                    try await clock.sleep(until: clock.now + min(.seconds(1), interval / 5))
                    silent = silent.filter { !$0.ask() }
                }
                feed()
                try await clock.sleep(until: clock.now + interval)
            }
        }
    }
}
