// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What is read to its end: a file, a pipe, a terminal.
enum InputFile {
    /// A config is a few hundred bytes; who gives a device file by mistake should hear of it.
    private static let limit = 1 << 20

    /// - Parameter path: `-` is standard input.
    static func read(_ path: String) throws(ProgramError) -> [UInt8] {
        guard path != "-" else { return try read(STDIN_FILENO, name: "standard input") }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(path) }
        defer { close(descriptor) }
        return try read(descriptor, name: path)
    }

    static func read(_ descriptor: Int32, name: String) throws(ProgramError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count > 0 {
                bytes += chunk[..<count]
            } else if errno != EINTR {
                throw fault(name)
            }
        }
        throw ProgramError(.usage, "--file: \(name) is longer than \(limit) bytes, which no network config is")
    }

    private static func fault(_ name: String) -> ProgramError {
        ProgramError(.usage, "--file: \(name) can't be read: \(unsafe String(cString: strerror(errno)))")
    }
}
