// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// What a client can read (RFC 9110 section 12.5.1).
struct AcceptHeader {
    private struct Range {
        let type: Substring
        let subtype: Substring
        /// From 0 to 1000 thousandths; 0: not this.
        let quality: Int
    }

    private let ranges: [Range]

    /// No header, or none that can be read: everything is welcome.
    init(_ request: Request) {
        ranges = request.headers[values: .accept].flatMap { $0.split(separator: ",") }.compactMap(Self.range)
    }

    private static func range(_ text: Substring) -> Range? {
        let parts = text.split(separator: ";").map { $0.drop { $0 == " " || $0 == "\t" } }
        guard let media = parts.first?.prefix(while: { $0 != " " && $0 != "\t" }).split(separator: "/"),
            media.count == 2
        else { return nil }
        let quality = parts.dropFirst().first { $0.hasPrefix("q=") || $0.hasPrefix("Q=") }
        return Range(
            type: media[0], subtype: media[1],
            quality: quality.flatMap { Double($0.dropFirst(2)) }.map { Int(min(max($0, 0), 1) * 1000) } ?? 1000)
    }

    /// How welcome a media type is, by the most specific range that has it; 0: not at all.
    func quality(of media: String) -> Int {
        guard !ranges.isEmpty else { return 1000 }
        let parts = media.split(separator: "/")
        func matches(_ range: Range) -> Int? {
            if range.type == "*" { return 0 }
            guard range.type.lowercased() == parts[0] else { return nil }
            if range.subtype == "*" { return 1 }
            return range.subtype.lowercased() == parts[1] ? 2 : nil
        }
        let best = ranges.compactMap { range in matches(range).map { (specificity: $0, range) } }
            .max { $0.specificity < $1.specificity }
        return best?.1.quality ?? 0
    }

    /// Whether a media type is asked for by its own name.
    func names(_ media: String) -> Bool {
        ranges.contains { "\($0.type)/\($0.subtype)".lowercased() == media && $0.quality > 0 }
    }

    func require(_ media: String) throws(APIProblem) {
        guard quality(of: media) > 0 else {
            throw APIProblem(
                status: .notAcceptable, title: "Not acceptable",
                detail: "this is only there as \(media), which the request's Accept header leaves out")
        }
    }
}
