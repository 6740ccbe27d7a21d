// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A network namespace held open: it lives at least as long as this value.
package struct NetworkNamespace: ~Copyable, Sendable {
    package let descriptor: Int32

    /// Where `ip netns` keeps the names.
    package static let directory = "/run/netns"

    /// The namespace that a file stands for: a name's, or `/proc/PID/ns/net`.
    package init(path: String) throws(NetlinkError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw NetlinkError(operand: "network namespace \(path)", cause: .system("open", .last))
        }
    }

    /// The namespace that `ip netns` knows by that name.
    package init(name: String) throws(NetlinkError) {
        try self.init(path: try Self.path(of: name))
    }

    /// The calling thread's.
    package static func current() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(path: threadPath)
    }

    deinit { close(descriptor) }

    /// `/proc/self` would be that of the process's first thread.
    static let threadPath = "/proc/thread-self/ns/net"

    /// Puts the calling thread into this namespace, and the programs that it starts from now on. Not for a thread
    /// that others use too.
    package borrowing func enter() throws(NetlinkError) { try Self.enter(descriptor) }

    /// Runs the body on a thread of its own inside this namespace and waits for it: for what belongs to the namespace
    /// of the thread that opens it, as sockets and `/proc/sys/net` do.
    package borrowing func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(NetlinkError) -> Result
    ) throws(NetlinkError) -> Result {
        let descriptor = descriptor
        return try HelperThread.run { () throws(NetlinkError) -> Result in
            try Self.enter(descriptor)
            return try body()
        }
    }

    /// A connection that talks to this namespace, whichever thread uses it.
    package borrowing func connect() throws(NetlinkError) -> RouteConnection {
        let handover = Handover<RouteConnection>()
        try run { () throws(NetlinkError) in handover.put(try RouteConnection()) }
        return try handover.take()
    }

    borrowing func openSocket() throws(NetlinkError) -> NetlinkSocket {
        let handover = Handover<NetlinkSocket>()
        try run { () throws(NetlinkError) in handover.put(try NetlinkSocket()) }
        return try handover.take()
    }

    private static func enter(_ descriptor: Int32) throws(NetlinkError) {
        // Entering asks for CAP_SYS_ADMIN, also where one is already: a daemon with CAP_NET_ADMIN alone stays there.
        guard !isCurrent(descriptor) else { return }
        guard clinux_enter_network_namespace(descriptor) == 0 else {
            throw NetlinkError(operand: "network namespace", cause: .system("setns", .last))
        }
    }

    /// Whether it is the calling thread's: a namespace is told by the inode of its file (namespaces(7)).
    private static func isCurrent(_ descriptor: Int32) -> Bool {
        var (wanted, own) = (stat(), stat())
        guard unsafe fstat(descriptor, &wanted) == 0, unsafe stat(threadPath, &own) == 0 else { return false }
        return (wanted.st_dev, wanted.st_ino) == (own.st_dev, own.st_ino)
    }

    static func path(of name: String) throws(NetlinkError) -> String {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")), name.utf8.count < 256
        else { throw NetlinkError(operand: "network namespace '\(name)'", cause: .system("open", .invalid)) }
        return "\(directory)/\(name)"
    }
}
