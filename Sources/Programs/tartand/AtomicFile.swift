// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// A file that readers see either as it was or as it is to be, also over a crash or a full disk.
struct AtomicFile {
    let path: FilePath

    init(_ path: String) { self.path = FilePath(path) }

    /// Writes beside it, brings that to the disk, and renames; makes the folder where it is missing, unless it shall not.
    func replace(
        with text: String, permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead],
        makesFolder: Bool = true
    ) throws {
        let folder = path.removingLastComponent()
        if makesFolder, !folder.isEmpty { try Self.makeFolder(folder) }
        let beside = FilePath("\(path).\(Self.processID).tmp")
        do {
            let file = try FileDescriptor.open(
                beside, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: permissions)
            try file.closeAfter {
                try file.writeAll(text.utf8)
                try Self.sync(file)
            }
            try Self.rename(beside, to: path)
        } catch {
            Self.remove(beside)
            throw FileFault(path: path.string, cause: error)
        }
        // The new name itself; some file systems can't, and the file is there all the same.
        if let file = try? FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: [.closeOnExec]) {
            try? file.closeAfter { try Self.sync(file) }
        }
    }

    func contents() -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { return nil }
        var bytes: [UInt8] = []
        try? file.closeAfter {
            var chunk = [UInt8](repeating: 0, count: 4096)
            while bytes.count < 1 << 20 {
                let count = unsafe try chunk.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
                if count == 0 { break }
                bytes += chunk[..<count]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a file can't be written.
struct FileFault: Error, CustomStringConvertible {
    let path: String
    let cause: any Error

    var description: String { "\(path) can't be written: \(cause)" }
}
