// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The certificates as they were when last read.
///
/// libcurl gets the contents, not the paths: it compares contents before it reuses a connection, so one that was made
/// with older files is never taken for a new request, and no cache of libcurl's or OpenSSL's hides a change.
final class TLSFiles: Sendable {
    let authorities: [UInt8]?
    let certificate: [UInt8]?
    let key: [UInt8]?

    init(_ paths: CurlTLS) throws(TLSFileError) {
        authorities = try Self.contents(paths.caFile)
        certificate = try Self.contents(paths.certFile)
        key = try Self.contents(paths.keyFile)
    }

    private static func contents(_ path: String?) throws(TLSFileError) -> [UInt8]? {
        guard let path else { return nil }
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw TLSFileError(path: path, errno: errno) }
        defer { close(file) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            if count == 0 { return contents }
            if count < 0 {
                if errno == EINTR { continue }
                throw TLSFileError(path: path, errno: errno)
            }
            contents.append(contentsOf: chunk[..<count])
            if contents.count > 1 << 24 { throw TLSFileError(path: path, errno: EFBIG) }
        }
    }
}

struct TLSFileError: Error {
    let path: String
    let errno: Int32

    var reason: String { "cannot read \(path): \(unsafe String(cString: strerror(errno)))" }
}

/// How a file looks from outside; another one means other contents.
struct FileMark: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// `nil` where there is no such file (or none named).
    init?(_ path: String?) {
        var status = stat()
        guard let path, unsafe stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
