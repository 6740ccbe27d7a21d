// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the plugins are.
package enum PluginFiles {
    /// Debian's `containernetworking-plugins`; its reasons are for tests that need it.
    package static let reference = "/usr/lib/cni"
    package static var hasReference: Bool {
        ["bridge", "host-local"].allSatisfy { unsafe access("\(reference)/\($0)", X_OK) == 0 }
    }

    /// Ours, beside the program that is running: where SwiftPM puts it.
    package static var ours: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe readlink("/proc/self/exe", start, bytes.count)
        }
        let path = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return "\(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])/tartan-cni"
    }
}
