// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
    package mutating func bool() throws(JSONError) -> Bool {
        if takeWord("true") { return true }
        if takeWord("false") { return false }
        throw error("true or false is missing")
    }

    /// A whole number, also one in quotes, which is how the gateway writes 64 bits.
    package mutating func integer() throws(JSONError) -> Int64 {
        let (isNegative, magnitude, start) = try wholeNumber()
        if isNegative, magnitude == Int64.min.magnitude { return .min }
        guard let value = Int64(exactly: magnitude) else { throw error("not a whole number of 64 bits", at: start) }
        return isNegative ? -value : value
    }

    /// The same without a sign; identifiers of members and clusters use all 64 bits.
    package mutating func unsigned() throws(JSONError) -> UInt64 {
        let (isNegative, magnitude, start) = try wholeNumber()
        if isNegative { throw error("not a whole number of 64 bits", at: start) }
        return magnitude
    }

    private mutating func wholeNumber() throws(JSONError) -> (isNegative: Bool, magnitude: UInt64, start: Int) {
        let isQuoted = take(UInt8(ascii: "\""))
        if !isQuoted { skipSpace() }
        let start = position
        try skipNumber()
        let isNegative = bytes[start] == UInt8(ascii: "-")
        var magnitude: UInt64 = 0
        for index in (isNegative ? start + 1 : start)..<position {
            let (product, isTooLarge) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isJustTooLarge) = product.addingReportingOverflow(UInt64(bytes[index] &- UInt8(ascii: "0")))
            guard Self.isDigit(bytes[index]), !isTooLarge, !isJustTooLarge else {
                throw error("not a whole number of 64 bits", at: start)
            }
            magnitude = sum
        }
        if isQuoted {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw error("not a number", at: start)
            }
            position += 1
        }
        return (isNegative, magnitude, start)
    }

    /// A string; what in it is not UTF-8 comes out as U+FFFD.
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
                index += try escapeLength(at: index)
            } else {
                index += 1
            }
        }
        throw error("a string does not end")
    }

    /// Goes behind a number (RFC 8259 section 6).
    mutating func skipNumber() throws(JSONError) {
        let start = position
        if at(UInt8(ascii: "-")) { position += 1 }
        if at(UInt8(ascii: "0")) { position += 1 } else { try skipDigits(start) }
        if at(UInt8(ascii: ".")) {
            position += 1
            try skipDigits(start)
        }
        if at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
            position += 1
            if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { position += 1 }
            try skipDigits(start)
        }
        if position < bytes.count, Self.isDigit(bytes[position]) {
            throw error("a number with a leading zero", at: start)
        }
    }

    private mutating func skipDigits(_ start: Int) throws(JSONError) {
        let first = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        if position == first { throw error("not a number", at: start) }
    }

    private func at(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// How many bytes the escape takes whose backslash is there.
    private func escapeLength(at index: Int) throws(JSONError) -> Int {
        guard index + 1 < bytes.count else { throw error("an escape does not end", at: index) }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            var digits = index + 2
            _ = try hex4(&digits, bytes.count)
            return 6
        default: throw error("an unknown escape", at: index)
        }
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
        guard index + 4 <= end else { throw error("an escape does not end", at: index) }
        var value: UInt32 = 0
        for digit in bytes[index..<index + 4] {
            guard let number = Self.hex(digit) else {
                throw error("an escape without four hexadecimal digits", at: index)
            }
            value = value << 4 | number
        }
        index += 4
        return value
    }

    private static func hex(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
