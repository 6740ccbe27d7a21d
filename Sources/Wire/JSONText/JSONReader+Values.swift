// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
    package mutating func bool() throws(JSONError) -> Bool {
        if takeWord("true") { return true }
        if takeWord("false") { return false }
        throw error("true or false is missing")
    }

    /// A whole number, also one in quotes, which is how the gateway writes 64 bits.
    package mutating func integer() throws(JSONError) -> Int64 {
        let isQuoted = take(UInt8(ascii: "\""))
        let start = position
        let text = try numberText()
        guard let value = Int64(text) else { throw error("not a whole number of 64 bits", at: start) }
        if isQuoted {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw error("not a number") }
            position += 1
        }
        return value
    }

    /// The same without a sign; identifiers of members and clusters use all 64 bits.
    package mutating func unsigned() throws(JSONError) -> UInt64 {
        let isQuoted = take(UInt8(ascii: "\""))
        let start = position
        guard let value = UInt64(try numberText()) else { throw error("not a whole number of 64 bits", at: start) }
        if isQuoted {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw error("not a number") }
            position += 1
        }
        return value
    }

    package mutating func string() throws(JSONError) -> String {
        skipSpace()
        let start = position + 1
        let (end, hasEscapes) = try stringEnd()
        if !hasEscapes { return String(decoding: bytes[start..<end], as: UTF8.self) }
        return String(decoding: try unescape(start..<end), as: UTF8.self)
    }

    /// The bytes behind a string in base64 (RFC 4648 section 4).
    package mutating func base64() throws(JSONError) -> [UInt8] {
        skipSpace()
        let start = position + 1
        let (end, hasEscapes) = try stringEnd()
        let decoded =
            hasEscapes ? Base64.decode(try unescape(start..<end)[...]) : Base64.decode(bytes[start..<end])
        guard let decoded else { throw error("not base64", at: start) }
        return decoded
    }

    /// Goes behind a string; where its contents end, and whether a backslash is in them.
    mutating func stringEnd() throws(JSONError) -> (end: Int, hasEscapes: Bool) {
        guard take(UInt8(ascii: "\"")) else { throw error("a string is missing") }
        let count = bytes.count
        var hasEscapes = false
        var index = position
        while index < count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                return (index, hasEscapes)
            }
            if byte < 0x20 { throw error("a control character in a string", at: index) }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 1
            }
            index += 1
        }
        throw error("a string does not end")
    }

    mutating func numberText() throws(JSONError) -> Substring {
        skipSpace()
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
                continue
            default: break
            }
            break
        }
        guard position > start else { throw error("a number is missing") }
        return String(decoding: bytes[start..<position], as: UTF8.self)[...]
    }

    private func unescape(_ range: Range<Int>) throws(JSONError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < range.upperBound else { throw error("an escape does not end", at: index) }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): result.append(contentsOf: try scalar(&index, range.upperBound).utf8)
            default: throw error("an unknown escape", at: index - 1)
            }
        }
        return result
    }

    /// The character of a `\u` escape, or of two that are a surrogate pair; a lone surrogate is U+FFFD.
    private func scalar(_ index: inout Int, _ end: Int) throws(JSONError) -> Character {
        let high = try hex4(&index, end)
        if (0xD800..<0xDC00).contains(high), index + 6 <= end, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        {
            var next = index + 2
            let low = try hex4(&next, end)
            if (0xDC00..<0xE000).contains(low) {
                index = next
                let value = 0x1_0000 + (high - 0xD800) << 10 + (low - 0xDC00)
                return Unicode.Scalar(value).map(Character.init) ?? "\u{FFFD}"
            }
        }
        return Unicode.Scalar(high).map(Character.init) ?? "\u{FFFD}"
    }

    private func hex4(_ index: inout Int, _ end: Int) throws(JSONError) -> UInt32 {
        guard index + 4 <= end,
            let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16),
            bytes[index] != UInt8(ascii: "+"), bytes[index] != UInt8(ascii: "-")
        else { throw error("an escape without four hexadecimal digits", at: index) }
        index += 4
        return value
    }
}
