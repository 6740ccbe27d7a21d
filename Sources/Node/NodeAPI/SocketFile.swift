// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file of a unix socket that the endpoint is to listen on.
struct SocketFile: Sendable {
    let path: String

    /// Makes room for a new socket: one that a dead server left is removed, a live server's is an error.
    ///
    /// Whether a server lives shows in whether it can be connected to (unix(7): ECONNREFUSED otherwise). Two servers
    /// that start in the same instant can still meet; the second then takes the path.
    func makeRoom() throws(ListenError) {
        var information = stat()
        guard unsafe lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else {
            throw .cannotBind(.unix(path: path), reason: "the path is taken by something that is not a socket")
        }
        if isAnswering { throw .socketInUse(path: path) }
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw .cannotBind(.unix(path: path), reason: "the old socket can't be removed: \(Self.text(of: errno))")
        }
    }

    /// Lets the owner and its group in, nobody else.
    func restrict() throws(ListenError) {
        guard unsafe chmod(path, 0o660) == 0 else {
            throw .cannotBind(.unix(path: path), reason: "its mode can't be set: \(Self.text(of: errno))")
        }
    }

    func remove() { _ = unsafe unlink(path) }

    private var isAnswering: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // A full backlog says EAGAIN: somebody is there, only busy.
        return result == 0 || errno == EAGAIN
    }

    static func text(of code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
