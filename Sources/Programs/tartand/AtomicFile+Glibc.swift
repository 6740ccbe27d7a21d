// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

// The calls that swift-system lacks.
extension AtomicFile {
    static var processID: Int32 { getpid() }

    static func sync(_ file: FileDescriptor) throws {
        if fsync(file.rawValue) != 0 { throw Errno(rawValue: errno) }
    }

    static func rename(_ old: FilePath, to new: FilePath) throws {
        if unsafe Glibc.rename(old.string, new.string) != 0 { throw Errno(rawValue: errno) }
    }

    static func remove(_ path: FilePath) { unsafe unlink(path.string) }

    /// The folder and those above it.
    static func makeFolder(_ path: FilePath) throws {
        if unsafe mkdir(path.string, 0o755) == 0 || errno == EEXIST { return }
        let parent = path.removingLastComponent()
        guard errno == ENOENT, !parent.isEmpty, parent != path else {
            throw FileFault(path: path.string, cause: Errno(rawValue: errno))
        }
        try makeFolder(parent)
        if unsafe mkdir(path.string, 0o755) != 0, errno != EEXIST {
            throw FileFault(path: path.string, cause: Errno(rawValue: errno))
        }
    }
}
