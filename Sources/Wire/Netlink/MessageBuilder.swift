// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// Netlink messages being written, one behind another, into memory that is used again for the next ones.
///
/// Invariant: between two calls of ``message(type:flags:sequence:_:)`` the bytes are whole messages; every
/// length and padding is written here and nowhere else (netlink(7): messages and attributes begin at multiples of 4,
/// lengths leave the padding out).
///
///      +----------+--------+-------+-----+-----+--------+------------------+-----+
///      | len (32) | type   | flags | seq | pid | header | attribute        | ... |
///      +----------+--------+-------+-----+-----+--------+------------------+-----+
///                                               attribute: len (16) type (16) payload, padding
@safe package struct MessageBuilder: ~Copyable {
    private var storage: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(capacity: Int = 4096) {
        unsafe storage = .allocate(byteCount: max(capacity, 64), alignment: 8)
    }

    deinit { unsafe storage.deallocate() }

    /// Forgets the messages, keeps the memory.
    package mutating func removeAll() { count = 0 }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: storage[..<count]))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Writes one message; its length is set when the body has written its attributes.
    package mutating func message(
        type: MessageType, flags: MessageFlags, sequence: UInt32, _ body: (inout MessageBuilder) -> Void
    ) {
        let start = count
        put(
            nlmsghdr(
                nlmsg_len: 0, nlmsg_type: type.rawValue, nlmsg_flags: flags.rawValue, nlmsg_seq: sequence, nlmsg_pid: 0)
        )
        body(&self)
        set(UInt32(count - start), at: start)
    }

    /// Asks for an answer to the message that begins there, whatever becomes of it.
    mutating func addFlags(_ flags: MessageFlags, toMessageAt start: Int) {
        let place = start + MemoryLayout<UInt32>.size + MemoryLayout<UInt16>.size
        guard place + 2 <= count else { return }
        let old = unsafe storage.loadUnaligned(fromByteOffset: place, as: UInt16.self)
        set(old | flags.rawValue, at: place)
    }

    package mutating func attribute(_ type: UInt16, _ value: some FixedWidthInteger & BitwiseCopyable) {
        attribute(type, length: MemoryLayout.size(ofValue: value)) { $0.put(value) }
    }

    /// An attribute that is said by being there.
    package mutating func flag(_ type: UInt16) { attribute(type, length: 0) { _ in } }

    package mutating func attribute(_ type: UInt16, _ address: IPv4Address) { attribute(type, address.bits.bigEndian) }

    package mutating func attribute(_ type: UInt16, _ address: IPAddress) {
        switch address {
        case .v4(let address): attribute(type, address)
        case .v6(let address): attribute(type, address.bits.bigEndian)
        }
    }

    package mutating func attribute(_ type: UInt16, _ mac: MACAddress) {
        attribute(type, length: 6) {
            $0.put(UInt16(truncatingIfNeeded: mac.bits >> 32).bigEndian)
            $0.put(UInt32(truncatingIfNeeded: mac.bits).bigEndian)
        }
    }

    /// A text with the NUL that the kernel expects behind it. Longer than an attribute can be, it is cut: the kernel's
    /// own limits are far below, so that it refuses the cut text as it would have refused the whole.
    package mutating func attribute(_ type: UInt16, _ text: String) {
        let text = text.utf8.prefix(4096)
        attribute(type, length: text.count + 1) { builder in
            for byte in text { builder.put(byte) }
            builder.put(UInt8(0))
        }
    }

    /// An attribute that holds attributes, after a header of its own where it has one.
    package mutating func nest(_ type: UInt16, _ body: (inout MessageBuilder) -> Void) {
        let start = count
        put(UInt16(0))
        put(type)
        body(&self)
        // A nest holds a handful of numbers and names: 16 bits are plenty.
        set(UInt16(truncatingIfNeeded: count - start), at: start)
    }

    /// A kernel's fixed part, of a multiple of 4 bytes.
    mutating func put<Value: BitwiseCopyable>(_ value: Value) {
        let size = MemoryLayout<Value>.size
        reserve(size)
        unsafe storage.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += size
    }

    private mutating func attribute(_ type: UInt16, length: Int, _ payload: (inout MessageBuilder) -> Void) {
        put(UInt16(truncatingIfNeeded: length + 4))
        put(type)
        payload(&self)
        pad()
    }

    private mutating func pad() {
        while count & 3 != 0 { put(UInt8(0)) }
    }

    private mutating func set<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        unsafe storage.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    private mutating func reserve(_ size: Int) {
        guard unsafe count + size > storage.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: (count + size) * 2, alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
        unsafe storage.deallocate()
        unsafe storage = larger
    }
}
