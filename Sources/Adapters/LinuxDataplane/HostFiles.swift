// SPDX-License-Identifier: Apache-2.0

import Glibc
import Netlink

/// The host's files as small texts: /proc, /sys and settings in /etc.
struct HostFiles: Sendable {
    /// In front of every path; empty but in tests.
    let root: String

    init(root: String = "") { self.root = root }

    /// `nil` where it can't be read. What is no UTF-8 is replaced.
    func text(_ path: String) -> String? {
        let file = unsafe open(root + path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // A file of /proc does not know its size.
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe read(file, &block, block.count)
            if count < 0 { if errno == EINTR { continue } else { return nil } }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += block[..<count]
        }
    }

    /// A file that holds one number.
    func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.filter { !$0.isWhitespace }) }
    }

    /// Replaces what the file says; it must be there.
    func write(_ text: String, to path: String) throws(HostFileError) {
        let file = unsafe open(root + path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw HostFileError(path: path, number: errno) }
        defer { close(file) }
        let count = text.utf8.count
        guard unsafe Glibc.write(file, text, count) == count else { throw HostFileError(path: path, number: errno) }
    }

    func exists(_ path: String) -> Bool { unsafe access(root + path, F_OK) == 0 }

    /// The names in a folder, sorted; none where there is none.
    func names(in folder: String) -> [String] {
        guard let open = unsafe opendir(root + folder) else { return [] }
        defer { unsafe closedir(open) }
        var names: [String] = []
        while let entry = unsafe readdir(open) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

struct HostFileError: Error, Hashable, CustomStringConvertible {
    let path: String
    let number: Int32

    var description: String { "\(path): \(ErrorNumber(number))" }
}
