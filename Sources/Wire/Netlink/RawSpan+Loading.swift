// SPDX-License-Identifier: Apache-2.0

// The only place that takes values out of bytes: whatever the bytes are, nothing outside them is read.

extension RawSpan {
    /// The value at that offset, in this machine's byte order; `nil` where the bytes do not hold it.
    ///
    /// Only for integers and the kernel's headers, of which every pattern of bits is a value.
    func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value? {
        guard offset >= 0, offset <= byteCount - MemoryLayout<Value>.size else { return nil }
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The part of that many bytes, cut where the bytes end.
    @_lifetime(copy self)
    func part(from offset: Int, count: Int) -> RawSpan {
        let start = Swift.min(Swift.max(offset, 0), byteCount)
        let end = start + Swift.min(Swift.max(count, 0), byteCount - start)
        return extracting(start..<end)
    }

    @_lifetime(copy self)
    func part(from offset: Int) -> RawSpan { part(from: offset, count: byteCount) }
}

/// Where the next message or attribute begins (`NLMSG_ALIGN`, `NLA_ALIGN`).
func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
