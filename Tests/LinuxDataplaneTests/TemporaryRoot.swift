// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import LinuxDataplane

/// A folder that stands for a machine's files, gone with the value.
final class TemporaryRoot {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tartan-root-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: HostFiles { HostFiles(root: path) }

    func write(_ text: String, to file: String) throws {
        let url = URL(filePath: path + file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: false, encoding: .utf8)
    }
}
