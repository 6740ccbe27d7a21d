// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `GET /`: the map of the address space, one document with its style and its script in it.
///
/// Invariant: nothing runs or is drawn but what the daemon was built with. The policy lets in the one style and the one
/// script that bear this answer's nonce (CSP 3, section 2.3.1), connections to this daemon only, and no text as markup
/// (`trusted-types 'none'`), whatever a node is called.
struct MapPage: Sendable {
    private static let script = [
        PackageResources.addresses_js, PackageResources.leases_js, PackageResources.events_js,
        PackageResources.painter_js, PackageResources.weave_js, PackageResources.history_js, PackageResources.page_js,
        PackageResources.words_js, PackageResources.details_js, PackageResources.grid_js, PackageResources.search_js,
        PackageResources.legend_js,
        PackageResources.layout_js, PackageResources.live_js,
    ]

    /// The document, cut where the nonce goes.
    private static let pieces: [Piece] = {
        var pieces: [Piece] = []
        var rest = PackageResources.map_html[...]
        while let (before, name, after) = placeholder(in: rest) {
            pieces.append(.text(Array(before)))
            switch name {
            case "style": pieces.append(.text(PackageResources.map_css))
            case "script": pieces.append(.text(Array(Self.script.joined())))
            default: pieces.append(.nonce)
            }
            rest = after
        }
        pieces.append(.text(Array(rest)))
        return pieces
    }()

    private enum Piece: Sendable {
        case text([UInt8])
        case nonce
    }

    var endpoint: Endpoint { .get("/", page) }

    private func page(_ request: Request, _ context: APIRequestContext) throws -> Response {
        _ = try QueryParameters(request.uri.query, allowing: [])
        try AcceptHeader(request).require("text/html")
        var random = SystemRandomNumberGenerator()
        let nonce = Self.nonce(using: &random)
        var body = ByteBuffer()
        for piece in Self.pieces {
            switch piece {
            case .text(let bytes): body.writeBytes(bytes)
            case .nonce: body.writeString(nonce)
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: Self.policy(nonce: nonce), .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: body))
    }

    static func policy(nonce: String) -> String {
        """
        default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; \
        img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'; trusted-types 'none'
        """
    }

    /// 128 bits, in hexadecimal.
    static func nonce(using random: inout some RandomNumberGenerator) -> String {
        (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The first `{{name}}` of a text, what is in front of it, and what is behind.
    private static func placeholder(
        in text: ArraySlice<UInt8>
    ) -> (before: ArraySlice<UInt8>, name: String, after: ArraySlice<UInt8>)? {
        let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        for start in text.indices.dropLast(3) where text[start] == open && text[start + 1] == open {
            guard let end = text[start...].firstIndex(of: close), text[(end + 1)...].first == close else { return nil }
            return (text[..<start], String(decoding: text[(start + 2)..<end], as: UTF8.self), text[(end + 2)...])
        }
        return nil
    }
}
