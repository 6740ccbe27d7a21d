// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc

/// Tells systemd how far the daemon is (sd_notify(3)); does nothing where systemd did not start it.
struct SystemdNotifier: Sendable {
    private let path: String?
    /// How often ``alive()`` is to be said: half of what `WatchdogSec=` allows (sd_watchdog_enabled(3)); `nil` where
    /// nobody waits for it.
    let watchdogInterval: Duration?

    init(environment: [String: String], process: Int32 = getpid()) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        // It may be meant for the program that started this one.
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdogInterval = path != nil && isForUs && limit > 1 ? .microseconds(limit / 2) : nil
    }

    /// The subnet is published and the peers known by then are in the kernel.
    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    func alive() { send("WATCHDOG=1") }

    func stopping() { send("STOPPING=1") }

    /// A manager that can't be told is no reason to carry on differently, so there is nothing to report.
    private func send(_ message: String) {
        guard let path else { return }
        _ = unsafe chost_notify(path, message)
    }
}
