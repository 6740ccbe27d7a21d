// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// One file of the endpoint's access, read whole.
struct AccessFile: Sendable {
    let option: AccessError.Option
    let path: String

    /// Certificates, keys and tokens are a few kilobytes; who names a log by mistake should hear of it.
    private static let largest = 1 << 20

    func contents() throws(AccessError) -> [UInt8] {
        guard let mark = FileMark(path) else { throw fault("can't be read: \(SocketFile.text(of: errno))") }
        guard mark.isRegular else { throw fault("is not a file") }
        guard mark.size <= Self.largest else { throw fault("is larger than \(Self.largest) bytes, which none is") }
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            let reason = (error as? CocoaError)?.code == .fileReadNoPermission ? "no permission" : "\(error)"
            throw fault("can't be read: \(reason)")
        }
    }

    /// A sentence where everybody on this host can read what only the daemon should.
    var exposure: String? {
        guard let mark = FileMark(path), mark.isWorldReadable else { return nil }
        return "everybody on this host can read \(path); take that right away with 'chmod o-r'"
    }

    func fault(_ reason: String) -> AccessError { AccessError(option: option, path: path, reason: reason) }
}

/// How a file looks from outside; another look means other contents. Links are followed, so that a link that was turned
/// to another file (as Kubernetes does with secrets) looks different.
struct FileMark: Equatable {
    let size: Int
    private let mode: mode_t
    private let identity: [Int]

    /// `nil` where there is no such file; `errno` then says why.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        size = Int(status.st_size)
        mode = status.st_mode
        identity = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isWorldReadable: Bool { mode & S_IROTH != 0 }
}
