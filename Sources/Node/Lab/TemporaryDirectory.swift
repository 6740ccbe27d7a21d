// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A new directory that nobody else can read.
package struct TemporaryDirectory: Hashable, Sendable {
    package let path: String

    package init(_ name: String) throws {
        let number = String(UInt64.random(in: 0 ... .max), radix: 36)
        path = "\(FileManager.default.temporaryDirectory.path)/tartan-\(name)-\(number)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// Removes it with everything in it. What is gone already is no error.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
