// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// A strong entity tag (RFC 9110 section 8.8.3): two answers with the same are the same bytes.
struct EntityTag: Hashable, CustomStringConvertible {
    /// Without the quotation marks.
    let value: String

    init(_ value: String) { self.value = value }

    /// The tag by which `If-None-Match` lists it, by the weak comparison that the header asks for (section 13.1.2): its
    /// own, or that of the same in gzip; `nil` where it is not known.
    func known(to request: Request) -> String? {
        let gzip = "\"\(value)\(GzipNegotiation.tagSuffix)\""
        for tag in Self.tags(request.headers[values: .ifNoneMatch]) {
            if tag == "*" || tag == description { return description }
            if tag == gzip { return gzip }
        }
        return nil
    }

    private static func tags(_ headers: [String]) -> [Substring] {
        headers.flatMap { $0.split(separator: ",") }.map { text in
            let tag = text.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
        }
    }

    var description: String { "\"\(value)\"" }

    /// FNV-1a over the parts: the same text in every process.
    static func digest(_ parts: [String], _ bytes: [UInt8] = []) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            // Apart, so that "ab", "c" is not "a", "bc".
            hash = (hash ^ 0xFF) &* 0x0000_0100_0000_01B3
        }
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
