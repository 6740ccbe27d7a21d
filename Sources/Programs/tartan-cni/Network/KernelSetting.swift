// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A number under /proc/sys/net, which shows that of the calling thread's namespace.
struct KernelSetting {
    let path: String

    /// As sysctl(8) has it, with slashes.
    init(_ name: String) { path = "/proc/sys/net/\(name)" }

    static func interface(_ family: String, _ interface: String, _ name: String) -> Self {
        Self("\(family)/conf/\(interface)/\(name)")
    }

    /// Sets it unless it has the value; success also where the kernel has no such setting.
    func set(_ value: UInt8) throws(PluginError) {
        guard let old = try Disk.read(path) else { return }
        guard String(decoding: old, as: UTF8.self) != "\(value)\n" else { return }
        let file = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Disk.failure(path, "can't be set to \(value)") }
        defer { close(file) }
        guard Disk.write(Array("\(value)".utf8), to: file) else {
            throw Disk.failure(path, "can't be set to \(value)")
        }
    }
}
