// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) front to back, each value once, without building a tree.
///
/// Not `JSONDecoder`: the gateway's answers are megabytes of short members, most of which nobody needs, and base64 in
/// them is decoded here straight from the text. Any input is safe: what is not JSON is a ``JSONError``, nesting is
/// limited.
package struct JSONReader: Sendable {
    let bytes: [UInt8]
    var position = 0
    private var depth = 0
    private static let depthLimit = 64

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package enum Kind: Hashable, Sendable {
        case object, array, string, number, bool, null
    }

    /// What the next value is; `nil` where there is none.
    package mutating func peek() -> Kind? {
        skipSpace()
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: return nil
        }
    }

    /// Reads an object; the closure reads (or skips) the value of each member. Members that are `null` are left out,
    /// as if they were not there: that is what `null` means to etcd's gateway and to flannel.
    package mutating func object(
        _ member: (_ name: String, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open(UInt8(ascii: "{"), "an object")
        if take(UInt8(ascii: "}")) { return close() }
        repeat {
            skipSpace()
            let name = try string()
            try expect(UInt8(ascii: ":"), "':'")
            if try !takeNull() { try member(name, &self) }
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"), "',' or '}'")
        close()
    }

    /// Reads an array; the closure reads (or skips) each element.
    package mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try open(UInt8(ascii: "["), "an array")
        if take(UInt8(ascii: "]")) { return close() }
        repeat { try element(&self) } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"), "',' or ']'")
        close()
    }

    /// Passes over the next value, whatever it is.
    package mutating func skip() throws(JSONError) {
        switch peek() {
        case .object: try object { _, reader throws(JSONError) in try reader.skip() }
        case .array: try array { reader throws(JSONError) in try reader.skip() }
        case .string: _ = try stringEnd()
        case .number: try skipNumber()
        case .bool: _ = try bool()
        case .null: _ = try takeNull()
        case nil: throw error("a value is missing")
        }
    }

    /// Nothing but space may follow.
    package mutating func finish() throws(JSONError) {
        skipSpace()
        if position < bytes.count { throw error("something follows the value") }
    }

    package func error(_ reason: String, at offset: Int? = nil) -> JSONError {
        JSONError(offset: offset ?? position, reason: reason)
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(JSONError) {
        guard take(byte) else { throw error("\(what) is missing") }
    }

    /// Takes the word if it is next.
    mutating func takeWord(_ word: StaticString) -> Bool {
        skipSpace()
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        let matches = word.withUTF8Buffer { unsafe bytes[position..<position + count].elementsEqual($0) }
        if matches { position += count }
        return matches
    }

    /// Takes a `null` if it is next.
    mutating func takeNull() throws(JSONError) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "n") else { return false }
        guard takeWord("null") else { throw error("not a value") }
        return true
    }

    private mutating func open(_ byte: UInt8, _ what: String) throws(JSONError) {
        guard take(byte) else { throw error("\(what) is missing") }
        depth += 1
        if depth > Self.depthLimit { throw error("nested deeper than \(Self.depthLimit)") }
    }

    private mutating func close() { depth -= 1 }
}
