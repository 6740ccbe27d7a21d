// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Whole files and folders; errors say which, and what the kernel said.
enum Disk {
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The contents; `nil` where there is no such file.
    static func read(_ path: String) throws(PluginError) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, "can't be opened")
        }
        defer { close(file) }
        return try read(file, path)
    }

    /// Everything up to the end of an open file.
    static func read(_ file: Int32, _ path: String) throws(PluginError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, "can't be read")
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Puts a file in place whole: whoever looks sees the old one, none, or all of the new.
    static func replace(_ path: String, with bytes: [UInt8], by scratch: String, mode: mode_t) throws(PluginError) {
        let file = unsafe open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(scratch, "can't be made") }
        let written = write(bytes, to: file)
        let number = errno
        guard close(file) == 0, written else {
            unsafe unlink(scratch)
            errno = number
            throw failure(path, "can't be written")
        }
        guard unsafe rename(scratch, path) == 0 else {
            let error = failure(path, "can't be put in place")
            unsafe unlink(scratch)
            throw error
        }
    }

    /// All of it; `false` with `errno` set where that does not work.
    static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(file, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            start += count
        }
        return true
    }

    /// Success also where there is none.
    static func remove(_ path: String) throws(PluginError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure(path, "can't be removed") }
    }

    /// The folder and those above it.
    static func makeFolder(_ path: String, mode: mode_t) throws(PluginError) {
        if unsafe mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw failure(path, "can't be made")
        }
        try makeFolder(String(path[..<slash]), mode: mode)
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw failure(path, "can't be made") }
    }

    /// The names in a folder, without `.` and `..`; none where there is no such folder.
    static func names(in folder: String) throws(PluginError) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            if errno == ENOENT { return [] }
            throw failure(folder, "can't be listed")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func failure(_ path: String, _ what: String) -> PluginError {
        let number = errno
        let reason = unsafe String(cString: strerror(number))
        let advice = number == ENOSPC || number == EDQUOT ? "; free some space" : ""
        return PluginError(.inputOutput, "\(path) \(what): \(reason)\(advice)")
    }
}
