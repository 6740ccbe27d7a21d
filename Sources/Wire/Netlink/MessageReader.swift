// SPDX-License-Identifier: Apache-2.0

import CLinux

/// One message inside a receive buffer.
package struct NetlinkMessage: ~Escapable {
    package let type: MessageType
    package let flags: MessageFlags
    package let sequence: UInt32
    /// What is behind the netlink header.
    package let payload: RawSpan

    @_lifetime(copy payload)
    init(header: nlmsghdr, payload: RawSpan) {
        type = MessageType(rawValue: header.nlmsg_type)
        flags = MessageFlags(rawValue: header.nlmsg_flags)
        sequence = header.nlmsg_seq
        self.payload = payload
    }

    /// The fixed part in front of the attributes; `nil` where the message is shorter than that.
    func header<Header: BitwiseCopyable>(_ type: Header.Type) -> Header? { payload.load(type, at: 0) }

    /// The attributes behind that fixed part.
    @_lifetime(copy self)
    func attributes<Header: BitwiseCopyable>(after type: Header.Type) -> AttributeReader {
        AttributeReader(payload.part(from: aligned(MemoryLayout<Header>.size)))
    }
}

/// Cuts what was received into messages; cannot outlive the buffer.
///
/// Any bytes are safe: a length that does not fit ends the reading, and ``isMalformed`` says so.
package struct MessageReader: ~Escapable {
    private var rest: RawSpan
    package private(set) var isMalformed = false

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { rest = bytes }

    @_lifetime(copy self)
    package mutating func next() -> NetlinkMessage? {
        guard !rest.isEmpty else { return nil }
        let size = MemoryLayout<nlmsghdr>.size
        guard let header = rest.load(nlmsghdr.self, at: 0), let length = Int(exactly: header.nlmsg_len),
            length >= size, length <= rest.byteCount
        else {
            isMalformed = true
            rest = rest.part(from: rest.byteCount)
            return nil
        }
        let message = NetlinkMessage(header: header, payload: rest.part(from: size, count: length - size))
        rest = rest.part(from: aligned(length))
        return message
    }
}
