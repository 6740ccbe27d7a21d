// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// A small file that the kernel writes, such as `/proc/PID/status`.
package struct ProcessFile {
    package let text: String

    package init(_ path: String) throws {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        text = try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    package func mebibytes(_ name: String) -> Double {
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
            ?? 0
    }

    /// Of `/proc/PID/stat` (proc(5)): user and system time, in seconds.
    package var processorTime: Double {
        // The second field is a name in brackets that may hold anything; utime and stime are the 12th and 13th after.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
