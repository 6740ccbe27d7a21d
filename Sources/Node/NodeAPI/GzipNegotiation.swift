// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// Decides what is compressed, for the compressor that stands behind it: gzip and nothing else, whole answers of text
/// that are worth it, never an event stream, never an answer with a secret (which are 201).
///
/// A compressed answer is another representation, with another entity tag: the plain one's and `-gzip` (RFC 9110,
/// 8.8.3.3). `HEAD` tells of the plain one.
final class GzipNegotiation: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// A smaller body gains nothing: it fits one packet either way.
    static let smallest = 1024
    static let tagSuffix = "-gzip"

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), head.headers.contains(name: "Accept-Encoding") else {
            return context.fireChannelRead(data)
        }
        let isWelcome = head.method != .HEAD && Self.isWelcome(head.headers[canonicalForm: "Accept-Encoding"])
        head.headers.remove(name: "Accept-Encoding")
        if isWelcome { head.headers.add(name: "Accept-Encoding", value: "gzip") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// RFC 9110, section 12.5.3.
    static func isWelcome(_ codings: [Substring]) -> Bool {
        var any: Bool?
        for coding in codings {
            let parts = coding.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            guard let name = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            if name == "gzip" || name == "x-gzip" { return quality > 0 }
            if name == "*" { any = quality > 0 }
        }
        return any ?? false
    }

    static func compressor() -> HTTPResponseCompressor {
        HTTPResponseCompressor { head, isWelcome in decide(&head, isWelcome: isWelcome) }
    }

    private static func decide(
        _ head: inout HTTPResponseHead, isWelcome: Bool
    ) -> HTTPResponseCompressor.CompressionIntent {
        guard head.status == .ok, isText(head.headers.first(name: "Content-Type") ?? "") else { return .doNotCompress }
        let vary = head.headers[canonicalForm: "Vary"]
        head.headers.replaceOrAdd(name: "Vary", value: (vary + ["Accept-Encoding"]).joined(separator: ", "))
        guard isWelcome, let size = head.headers.first(name: "Content-Length").flatMap(Int.init), size >= smallest
        else { return .doNotCompress }
        if let tag = head.headers.first(name: "ETag"), tag.hasSuffix("\"") {
            head.headers.replaceOrAdd(name: "ETag", value: "\(tag.dropLast())\(tagSuffix)\"")
        }
        return .compressIfPossible
    }

    private static func isText(_ type: String) -> Bool {
        ["application/json", "application/yaml", "text/plain", "text/html"].contains { type.hasPrefix($0) }
    }
}
