// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The namespace's settings under /proc/sys/net, which shows those of the thread that opens them.
extension NetworkNamespace {
    /// The value of a setting such as `ipv4/ip_forward`; `nil` where the kernel has none of that name.
    package borrowing func setting(_ name: String) throws(NetlinkError) -> String? {
        try run { () throws(NetlinkError) in try Self.read(name) }
    }

    /// Gives a setting that value; `false` where the kernel has none of that name. A setting that has the value
    /// already is not written.
    @discardableResult
    package borrowing func set(_ name: String, to value: String) throws(NetlinkError) -> Bool {
        try run { () throws(NetlinkError) in
            guard let old = try Self.read(name) else { return false }
            if old != value { try Self.write(name, value) }
            return true
        }
    }

    private static func read(_ name: String) throws(NetlinkError) -> String? {
        let file = unsafe open("/proc/sys/net/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(name, "open")
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw failure(name, "read") }
        return String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func write(_ name: String, _ value: String) throws(NetlinkError) {
        let file = unsafe open("/proc/sys/net/\(name)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(name, "open") }
        defer { close(file) }
        let bytes = Array(value.utf8)
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else { throw failure(name, "write") }
    }

    private static func failure(_ name: String, _ call: String) -> NetlinkError {
        NetlinkError(operand: "setting net/\(name)", cause: .system(call, .last))
    }
}
