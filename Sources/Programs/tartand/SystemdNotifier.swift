// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Tells systemd how far the daemon is (sd_notify(3)); does nothing where systemd did not start it.
struct SystemdNotifier: Sendable {
    private let path: String?

    init(environment: [String: String]) { path = environment["NOTIFY_SOCKET"] }

    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    func stopping() { send("STOPPING=1") }

    private func send(_ message: String) {
        guard let path, !path.isEmpty else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // An "@" stands for the zero byte of a name in the abstract namespace.
        let bytes = [path.utf8.first == UInt8(ascii: "@") ? 0 : path.utf8.first ?? 0] + path.utf8.dropFirst()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else { return }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return }
        defer { close(handle) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + bytes.count)
        let text = Array(message.utf8)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = unsafe sendto(handle, text, text.count, Int32(MSG_NOSIGNAL.rawValue), address, length)
            }
        }
    }
}
