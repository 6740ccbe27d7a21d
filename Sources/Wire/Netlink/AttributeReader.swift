// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// One attribute inside a message: a number that says what it is, and bytes.
package struct NetlinkAttribute: ~Escapable {
    /// Without the two bits that say "nested" and "big endian" (`NLA_TYPE_MASK`).
    package let type: UInt16
    package let payload: RawSpan

    @_lifetime(copy payload)
    init(type: UInt16, payload: RawSpan) {
        self.type = type & 0x3FFF
        self.payload = payload
    }

    package var uint8: UInt8? { payload.load(UInt8.self, at: 0) }
    package var uint16: UInt16? { payload.load(UInt16.self, at: 0) }
    package var uint32: UInt32? { payload.load(UInt32.self, at: 0) }
    /// A number in network order: ports.
    package var bigEndian16: UInt16? { uint16.map(UInt16.init(bigEndian:)) }

    /// `nil` unless it is 4 or 16 bytes.
    package var address: IPAddress? {
        switch payload.byteCount {
        case 4: uint32.map { .v4(IPv4Address(bits: UInt32(bigEndian: $0))) }
        case 16: payload.load(UInt128.self, at: 0).map { .v6(IPv6Address(bits: UInt128(bigEndian: $0))) }
        default: nil
        }
    }

    /// `nil` unless it is 6 bytes.
    package var mac: MACAddress? {
        guard payload.byteCount == 6, let high = payload.load(UInt16.self, at: 0),
            let low = payload.load(UInt32.self, at: 2)
        else { return nil }
        return MACAddress(bits: UInt64(UInt16(bigEndian: high)) << 32 | UInt64(UInt32(bigEndian: low)))
    }

    /// Up to the first NUL; what is not UTF-8 is replaced.
    package var text: String {
        unsafe payload.withUnsafeBytes { bytes in unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The attributes that it holds.
    package var nested: AttributeReader {
        @_lifetime(copy self)
        get { AttributeReader(payload) }
    }
}

/// Cuts bytes into attributes; cannot outlive the buffer. Any bytes are safe: it ends where they make no sense.
package struct AttributeReader: ~Escapable {
    private var rest: RawSpan

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { rest = bytes }

    @_lifetime(copy self)
    package mutating func next() -> NetlinkAttribute? {
        guard let header = rest.load(nlattr.self, at: 0), header.nla_len >= MemoryLayout<nlattr>.size,
            Int(header.nla_len) <= rest.byteCount
        else { return nil }
        let size = MemoryLayout<nlattr>.size
        let attribute = NetlinkAttribute(
            type: header.nla_type, payload: rest.part(from: size, count: Int(header.nla_len) - size))
        rest = rest.part(from: aligned(Int(header.nla_len)))
        return attribute
    }
}
