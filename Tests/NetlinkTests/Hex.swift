// SPDX-License-Identifier: Apache-2.0

import Netlink

/// Bytes as `strace -e write=3 -e read=3` prints them, with what they are behind `//`.
enum Hex {
    static func bytes(_ text: String) -> [UInt8] {
        text.split(separator: "\n").flatMap { line in
            String(line).prefix { $0 != "/" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
    }

    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}

/// What one message holds.
func read<Object: NetlinkObject>(_ type: Object.Type, from bytes: [UInt8]) -> Object? {
    var reader = MessageReader(bytes.span.bytes)
    guard let message = reader.next() else { return nil }
    return Object(message)
}

/// The one message that says this object.
func written<Object: NetlinkObject>(
    _ object: Object, _ verb: MessageType.Verb, flags: UInt16, sequence: UInt32
) -> [UInt8] {
    var builder = MessageBuilder(capacity: 16)
    builder.message(type: Object.messageType(verb), flags: MessageFlags(rawValue: flags), sequence: sequence) {
        object.put(into: &$0)
    }
    return copy(of: builder.bytes)
}

func copy(of bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
