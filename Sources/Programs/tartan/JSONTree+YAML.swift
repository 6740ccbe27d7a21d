// SPDX-License-Identifier: Apache-2.0

extension JSONTree {
    /// The value as a YAML 1.2 document in block style. Strings that could be read as anything else are quoted as in
    /// JSON, which YAML takes.
    var yaml: String {
        switch self {
        case .object(let members) where !members.isEmpty: Self.block(members, indent: "")
        case .array(let elements) where !elements.isEmpty: Self.block(elements, indent: "")
        default: inline + "\n"
        }
    }

    private static func block(_ members: [Member], indent: String) -> String {
        members.map { member in
            let name = JSONTree.string(member.name).inline
            return switch member.value {
            case .object(let inner) where !inner.isEmpty:
                "\(indent)\(name):\n" + block(inner, indent: indent + "  ")
            case .array(let inner) where !inner.isEmpty: "\(indent)\(name):\n" + block(inner, indent: indent)
            default: "\(indent)\(name): \(member.value.inline)\n"
            }
        }.joined()
    }

    private static func block(_ elements: [JSONTree], indent: String) -> String {
        elements.map { element in
            let inner =
                switch element {
                case .object(let members) where !members.isEmpty: block(members, indent: indent + "  ")
                case .array(let values) where !values.isEmpty: block(values, indent: indent + "  ")
                default: "\(indent)  \(element.inline)\n"
                }
            return "\(indent)- " + inner.dropFirst(indent.count + 2)
        }.joined()
    }

    /// A scalar, or an empty collection.
    private var inline: String {
        switch self {
        case .object: "{}"
        case .array: "[]"
        case .word(let word): word
        case .string(let text): Self.isPlain(text) ? text : Self.quoted(text)
        }
    }

    /// Whether a reader of YAML takes the bare text for this very string.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, !"-?:,[]{}#&*!|>'\"%@` .+~".utf8.contains(first), text.utf8.last != 0x20,
            text.utf8.allSatisfy({ $0 > 0x1F && $0 < 0x7F }), !text.contains(": "), !text.contains(" #"),
            text.utf8.last != UInt8(ascii: ":")
        else { return false }
        if ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) { return false }
        // Numbers, dates, times and version-like texts of digits alone are left to the quotes.
        let isNumeric = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || "eExXoabcdfABCDF_.:-+TZ".utf8.contains($0)
        }
        return !((0x30...0x39).contains(first) && isNumeric) || isDottedQuad(text)
    }

    /// An IPv4 address has three dots: no number of YAML's.
    private static func isDottedQuad(_ text: String) -> Bool {
        text.utf8.count { $0 == UInt8(ascii: ".") } == 3
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }
}
