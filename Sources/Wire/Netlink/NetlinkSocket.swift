// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch
import Glibc

/// A socket to one of the kernel's netlink protocols, closed with its value.
///
/// It keeps talking to the network namespace that its thread was in when it was opened, whichever thread uses it. Its
/// port id is the kernel's choice, so that a process may have many.
package struct NetlinkSocket: ~Copyable, Sendable {
    let descriptor: Int32
    /// In bytes, as the kernel counts: for answers that wait to be read.
    package let receiveCapacity: Int

    /// How long to wait for an answer that the kernel normally has ready when `send` returns, in seconds.
    private static let patience = 5

    package init(_ protocol: NetlinkProtocol = .route) throws(NetlinkError) {
        descriptor = try Self.open(`protocol`)
        receiveCapacity = Self.receiveCapacity(of: descriptor)
    }

    deinit { close(descriptor) }

    /// Takes part in a group of notifications.
    package borrowing func join(_ group: UInt32) throws(NetlinkError) {
        guard Self.set(descriptor, SocketOption.level, SocketOption.joinGroup, group) == 0 else {
            throw Self.failure("setsockopt NETLINK_ADD_MEMBERSHIP", .last)
        }
    }

    /// The kernel's name for this socket, which notifications of what it did bear.
    var portID: UInt32 {
        var address = sockaddr_nl()
        var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        return status == 0 ? address.nl_pid : 0
    }

    /// Keeps messages out that bear that port id, before they take any room (a filter of the kernel's, socket(7)).
    borrowing func ignore(port: UInt32) throws(NetlinkError) {
        guard clinux_ignore_port(descriptor, port) == 0 else {
            throw Self.failure("setsockopt SO_ATTACH_FILTER", .last)
        }
    }

    /// Hands whole messages to the kernel, which has worked through all of them when this returns.
    package borrowing func send(_ bytes: RawSpan) throws(NetlinkError) {
        var kernel = sockaddr_nl()
        kernel.nl_family = sa_family_t(Family.netlink)
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            unsafe withUnsafePointer(to: &kernel) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    Self.retrying {
                        unsafe sendto(
                            descriptor, buffer.baseAddress, buffer.count, 0, address,
                            socklen_t(MemoryLayout<sockaddr_nl>.size))
                    }
                }
            }
        }
        guard sent >= 0 else { throw Self.failure("sendto", .last) }
        guard sent == bytes.byteCount else { throw NetlinkError(operand: "netlink", cause: .malformed) }
    }

    /// Waits some seconds for the next datagram, or, where it does not wait, takes one that is there; returns how many
    /// bytes it has. ``NetlinkError/Cause/unanswered`` where there was none.
    ///
    /// What another process sent is dropped: anybody may write to a port id.
    package borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer, waits: Bool = true
    ) throws(NetlinkError) -> Int {
        let flags = Int32(MSG_TRUNC) | (waits ? 0 : Int32(MSG_DONTWAIT))
        while true {
            var sender = sockaddr_nl()
            var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = unsafe withUnsafeMutablePointer(to: &sender) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    Self.retrying {
                        unsafe recvfrom(
                            descriptor, buffer.baseAddress, buffer.count, flags, address, &size)
                    }
                }
            }
            guard count >= 0 else {
                switch ErrorNumber.last {
                case .noBuffers: throw NetlinkError(operand: "netlink", cause: .overrun)
                case .again: throw NetlinkError(operand: "netlink", cause: .unanswered)
                case let number: throw Self.failure("recvfrom", number)
                }
            }
            guard sender.nl_pid == 0 else { continue }
            guard count <= buffer.count else { throw NetlinkError(operand: "netlink", cause: .malformed) }
            return count
        }
    }

    /// Fires when there is something to receive; must be cancelled before the socket's end.
    borrowing func readSource(queue: DispatchQueue) -> any DispatchSourceRead {
        DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    }

    /// How much may wait to be received before the kernel drops it and says so (ENOBUFS), in bytes; takes effect where
    /// CAP_NET_ADMIN is. Memory is taken only for what waits.
    borrowing func allowBacklog(of bytes: Int) {
        Self.set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, Int32(clamping: bytes))
    }

    private static func open(_ protocol: NetlinkProtocol) throws(NetlinkError) -> Int32 {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let opened = socket(Int32(Family.netlink), type, `protocol`.rawValue)
        guard opened >= 0 else { throw failure("socket", .last) }
        // The first two need CAP_NET_ADMIN; without it there is nothing to change, and little to read.
        set(opened, SOL_SOCKET, SO_RCVBUFFORCE, Int32(4 << 20))
        set(opened, SOL_SOCKET, SO_SNDBUFFORCE, Int32(1 << 20))
        set(opened, SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: patience, tv_usec: 0))
        for option in [
            SocketOption.capAcknowledgements, SocketOption.extendedAcknowledgements, SocketOption.strictRequests,
        ] {
            set(opened, SocketOption.level, option, Int32(1))
        }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(Family.netlink)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(opened, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else {
            let number = ErrorNumber.last
            close(opened)
            throw failure("bind", number)
        }
        return opened
    }

    private static func retrying(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    @discardableResult
    private static func set<Value: BitwiseCopyable>(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Value
    ) -> Int32 {
        unsafe withUnsafeBytes(of: value) { bytes in
            unsafe setsockopt(descriptor, level, option, bytes.baseAddress, socklen_t(bytes.count))
        }
    }

    private static func receiveCapacity(of descriptor: Int32) -> Int {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &value, &size) == 0 else { return 0 }
        return Int(value)
    }

    private static func failure(_ call: String, _ number: ErrorNumber) -> NetlinkError {
        NetlinkError(operand: "netlink", cause: .system(call, number))
    }
}
