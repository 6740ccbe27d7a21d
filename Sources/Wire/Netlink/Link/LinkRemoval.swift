// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Takes a link away and returns when it is gone, but does not wait for the kernel to have forgotten it.
///
/// Inside `send` the kernel first unregisters the link, and with it a veth's other end, and says so to who listens
/// (`RTNLGRP_LINK`): from then on its name is free and nothing goes by it. Then it waits for all processors to be done
/// with what they may still read of it (`rcu_barrier` in `netdev_run_todo`), which takes twenty times as long and
/// concerns nobody. So the request is sent by a process of its own, which has nothing else to do, and this one listens.
package struct LinkRemoval: ~Copyable {
    private let socket: NetlinkSocket
    private var number: UInt32 = 0
    private var isListening = false

    /// Of links in the calling thread's namespace.
    package init() throws(NetlinkError) { socket = try NetlinkSocket() }

    /// `false` where there is none of that name.
    package mutating func remove(_ name: String) throws(NetlinkError) -> Bool {
        guard let link = try socket.look(at: name) else { return false }
        try remove(link.index)
        return true
    }

    /// Success also where there is none of that index any more.
    package mutating func remove(_ index: UInt32) throws(NetlinkError) {
        // A filter for this link's end alone would cost the kernel more than others' words cost us: it compiles it.
        if !isListening { try socket.join(MulticastGroup.link) }
        isListening = true
        var request = MessageBuilder(capacity: 64)
        let link = LinkMessage(index: index)
        // The answer to the one before may still come.
        number &+= 1
        request.message(
            type: LinkMessage.messageType(.delete), flags: [.request, .acknowledge], sequence: number
        ) { link.put(into: &$0) }
        let sent = unsafe request.bytes.withUnsafeBytes { bytes in
            unsafe clinux_send_apart(socket.descriptor, bytes.baseAddress, bytes.count)
        }
        // No process to be had: then we wait as long as it takes.
        if sent != 0 { try socket.send(request.bytes) }
        try waitForEnd(of: index)
    }

    private borrowing func waitForEnd(of index: UInt32) throws(NetlinkError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
        defer { unsafe buffer.deallocate() }
        var isGone = false
        var refusal: Answer?
        while !isGone {
            let count: Int
            do throws(NetlinkError) {
                count = try unsafe socket.receive(into: buffer)
            } catch {
                // Of too many words of others' links ours may be lost too; the answer comes all the same.
                guard error.cause == .overrun else { throw error }
                continue
            }
            let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            var reader = MessageReader(bytes)
            while let message = reader.next() {
                if let answer = Answer(message), message.sequence == number {
                    isGone = true
                    if answer.number != nil { refusal = answer }
                } else if message.type == LinkMessage.messageType(.delete) {
                    isGone = isGone || Self.isEnd(message, of: index)
                }
            }
        }
        guard let refusal, let cause = refusal.number else { return }
        let error = NetlinkError(operand: "link \(index)", cause: .refused(cause, text: refusal.text))
        guard error.isAbsence else { throw error }
    }

    /// A bridge says in its own family that the link is not its port any more, which comes earlier.
    private static func isEnd(_ message: borrowing NetlinkMessage, of index: UInt32) -> Bool {
        guard let header = message.header(ifinfomsg.self) else { return false }
        return header.ifi_family == Family.unspecified && UInt32(bitPattern: header.ifi_index) == index
    }
}
