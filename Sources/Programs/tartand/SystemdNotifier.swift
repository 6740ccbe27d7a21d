// SPDX-License-Identifier: Apache-2.0

import CHost

/// Tells systemd how far the daemon is (sd_notify(3)); does nothing where systemd did not start it.
struct SystemdNotifier: Sendable {
    private let path: String?

    init(environment: [String: String]) { path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 } }

    /// The subnet is published and the peers known by then are in the kernel.
    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    func stopping() { send("STOPPING=1") }

    /// A manager that can't be told is no reason to carry on differently, so there is nothing to report.
    private func send(_ message: String) {
        guard let path else { return }
        _ = unsafe chost_notify(path, message)
    }
}
