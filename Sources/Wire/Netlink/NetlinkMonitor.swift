// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Follows what changes in a namespace's links, addresses, routes, next hops and neighbours.
///
/// Every event is given to one closure, in the kernel's order, on the monitor's own queue, as soon as it comes. A
/// notification is in the socket before the request that caused it returns, so that after ``drain()`` everything that
/// happened before has been given.
package final class NetlinkMonitor: Sendable {
    private let queue = DispatchQueue(label: "tartan.netlink.monitor")
    private let reader: Reader
    /// Thread-safe by Dispatch's contract; only its declaration does not say so.
    nonisolated(unsafe) private let source: any DispatchSourceRead

    /// - Parameter ignored: whose changes are not told. The kernel names the author of a route, next hop, neighbour or
    ///   address, but not of a link or an FDB entry, which are told whoever made them.
    package init(
        in namespace: borrowing NetworkNamespace, ignoring ignored: RouteSocket? = nil,
        _ take: @escaping @Sendable (KernelEvent) -> Void
    ) throws(NetlinkError) {
        let socket = try namespace.openSocket()
        // A device with 65,000 peers that goes or comes is told of entry by entry, about a kilobyte each.
        socket.allowBacklog(of: 64 << 20)
        if let ignored { try socket.ignore(port: ignored.portID) }
        for group in [
            MulticastGroup.link, MulticastGroup.neighbor, MulticastGroup.ipv4Address, MulticastGroup.ipv4Route,
            MulticastGroup.ipv6Address, MulticastGroup.ipv6Route,
        ] {
            try socket.join(group)
        }
        // Not there before Linux 5.3, where there is nothing to follow either.
        try? socket.join(MulticastGroup.nextHop)
        let reader = Reader(socket, take)
        self.reader = reader
        unsafe source = DispatchSource.makeReadSource(fileDescriptor: reader.descriptor, queue: queue)
        unsafe source.setEventHandler { reader.readAll() }
        // The socket lives until nothing waits for it any more.
        unsafe source.setCancelHandler { withExtendedLifetime(reader) {} }
        unsafe source.resume()
    }

    deinit { unsafe source.cancel() }

    /// Returns when everything that the kernel had to tell at the time of the call has been given.
    package func drain() async {
        await withCheckedContinuation { continuation in
            queue.async { [reader] in
                reader.readAll()
                continuation.resume()
            }
        }
    }
}

/// The socket and the memory to read into, used on one queue only.
private final class Reader: Sendable {
    let descriptor: Int32
    private let socket: NetlinkSocket
    private let take: @Sendable (KernelEvent) -> Void

    init(_ socket: consuming NetlinkSocket, _ take: @escaping @Sendable (KernelEvent) -> Void) {
        descriptor = socket.descriptor
        self.socket = socket
        self.take = take
    }

    func readAll() {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                do throws(NetlinkError) {
                    let count = try unsafe socket.receive(into: buffer, waits: false)
                    var reader = MessageReader(
                        unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count])))
                    while let message = reader.next() {
                        if let event = KernelEvent(message) { take(event) }
                    }
                } catch {
                    if error.cause == .unanswered { return }
                    take(.lost)
                    if error.cause != .overrun { return }
                }
            }
        }
    }
}
