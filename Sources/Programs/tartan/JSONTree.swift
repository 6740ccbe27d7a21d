// SPDX-License-Identifier: Apache-2.0

import JSONText

/// A JSON value (RFC 8259) that keeps the order of its members and the spelling of its numbers: what an operator wrote
/// is changed only where it was asked to be.
indirect enum JSONTree: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var name: String
        var value: JSONTree
    }

    case object([Member])
    case array([JSONTree])
    case string(String)
    /// A number, `true`, `false` or `null`, as it is written.
    case word(String)

    init(parsing text: [UInt8]) throws(JSONError) {
        var check = JSONReader(text)
        try check.skip()
        try check.finish()
        var parser = Parser(text: text[...])
        self = try parser.value()
    }

    /// A member of an object, whatever the case of its name, as flannel reads it.
    subscript(name: String) -> JSONTree? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.last { $0.name.lowercased() == name.lowercased() }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            let place = members.firstIndex { $0.name.lowercased() == name.lowercased() }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }

    /// Two spaces a level, or all in one line.
    func json(pretty: Bool, level: Int = 0) -> String {
        let end = pretty ? "\n" + String(repeating: "  ", count: level) : ""
        let start = pretty ? end + "  " : ""
        let colon = pretty ? ": " : ":"
        switch self {
        case .word(let word): return word
        case .string(let text): return Self.quoted(text)
        case .array(let elements) where elements.isEmpty: return "[]"
        case .array(let elements):
            let parts = elements.map { start + $0.json(pretty: pretty, level: level + 1) }
            return "[" + parts.joined(separator: ",") + end + "]"
        case .object(let members) where members.isEmpty: return "{}"
        case .object(let members):
            let parts = members.map {
                start + Self.quoted($0.name) + colon + $0.value.json(pretty: pretty, level: level + 1)
            }
            return "{" + parts.joined(separator: ",") + end + "}"
        }
    }

    static func quoted(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// Reads what is known to be JSON.
    private struct Parser {
        var text: ArraySlice<UInt8>

        mutating func value() throws(JSONError) -> JSONTree {
            skipSpace()
            switch text.first {
            case UInt8(ascii: "{"):
                var members: [Member] = []
                try elements(until: UInt8(ascii: "}")) { parser throws(JSONError) in
                    let name = try parser.string()
                    parser.skipSpace()
                    parser.text.removeFirst()  // the colon
                    members.append(Member(name: name, value: try parser.value()))
                }
                return .object(members)
            case UInt8(ascii: "["):
                var values: [JSONTree] = []
                try elements(until: UInt8(ascii: "]")) { parser throws(JSONError) in values.append(try parser.value()) }
                return .array(values)
            case UInt8(ascii: "\""): return .string(try string())
            default:
                let word = text.prefix { !",]} \t\r\n".utf8.contains($0) }
                text = text.dropFirst(word.count)
                return .word(String(decoding: word, as: UTF8.self))
            }
        }

        private mutating func elements(
            until end: UInt8, _ element: (inout Parser) throws(JSONError) -> Void
        ) throws(JSONError) {
            text.removeFirst()
            skipSpace()
            while text.first != end {
                try element(&self)
                skipSpace()
                if text.first == UInt8(ascii: ",") { text.removeFirst() }
                skipSpace()
            }
            text.removeFirst()
        }

        private mutating func string() throws(JSONError) -> String {
            skipSpace()
            var end = text.startIndex + 1
            while text[end] != UInt8(ascii: "\"") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
            var reader = JSONReader(Array(text[...end]))
            text = text[(end + 1)...]
            return try reader.string()
        }

        private mutating func skipSpace() { text = text.drop { " \t\r\n".utf8.contains($0) } }
    }
}
