// SPDX-License-Identifier: Apache-2.0

/// A whole JSON text as a tree, for what is passed on without being understood: the rest is read with ``JSONReader``.
///
/// Members keep their order and numbers their digits, so that what was read is what is written. A member that is
/// `null` is left out, as if it were not there.
package indirect enum JSONValue: Hashable, Sendable {
    case object([Member])
    case array([JSONValue])
    case string(String)
    /// The text of a number.
    case number(String)
    case bool(Bool)
    case null

    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Reads a text that is one value and nothing else.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes)
        self = try reader.value()
        try reader.finish()
    }

    /// The text, without spaces.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }

    /// An object's member of that name; of several the last, which is the one that most readers take.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// Gives an object's member that value, in its place or behind the others. What is no object becomes one.
    package mutating func set(_ name: String, _ value: JSONValue) {
        var members: [Member] = []
        if case .object(let old) = self { members = old }
        if let index = members.lastIndex(where: { $0.name == name }) {
            members[index].value = value
        } else {
            members.append(Member(name, value))
        }
        self = .object(members)
    }

    package static func integer(_ value: some FixedWidthInteger) -> JSONValue { .number(String(value)) }
}

extension JSONReader {
    /// The next value, whatever it is.
    package mutating func value() throws(JSONError) -> JSONValue {
        switch peek() {
        case .object:
            var members: [JSONValue.Member] = []
            try object { name, reader throws(JSONError) in
                members.append(JSONValue.Member(name, try reader.value()))
            }
            return .object(members)
        case .array:
            var elements: [JSONValue] = []
            try array { reader throws(JSONError) in elements.append(try reader.value()) }
            return .array(elements)
        case .string: return .string(try string())
        case .number:
            let start = position
            try skip()
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        case .bool: return .bool(try bool())
        case .null, nil:
            try skip()
            return .null
        }
    }
}

extension JSONWriter {
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .object(let members):
            object { writer in
                for member in members {
                    writer.name(member.name)
                    writer.value(member.value)
                }
            }
        case .array(let elements): array { writer in for element in elements { writer.value(element) } }
        case .string(let text): string(text)
        case .number(let digits): word(digits)
        case .bool(let isTrue): bool(isTrue)
        case .null: null()
        }
    }
}
