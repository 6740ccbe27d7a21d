// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

/// What one listener lets a client do. The one place that decides it, for every route there is or will be.
///
/// Whatever is not `GET`, `HEAD` or `OPTIONS` counts as a change. Where clients can prove who they are, they must, for
/// reading as well; only the probes of a kubelet or a load balancer, which have no secrets, and what tells nothing get by
/// without: `OPTIONS`, and the map page, which has no data in it and asks its reader for a token.
struct AccessPolicy: Hashable, Sendable {
    var isReadOnly = false
    /// Whether a client must show a token or a certificate here.
    var needsProof = false

    enum Verdict: Hashable, Sendable {
        case allowed
        case unproven
        case readOnly
        /// A web page of another site asks, in the name of whoever looks at it.
        case foreignPage
    }

    static func isChange(_ method: HTTPRequest.Method) -> Bool {
        method != .get && method != .head && method != .options
    }

    /// Whether the answer depends on who asks.
    func asksForProof(_ method: HTTPRequest.Method, path: some StringProtocol) -> Bool {
        guard needsProof, method != .options else { return false }
        return Self.isChange(method)
            || !["/", "/livez", "/readyz", "/healthz"].contains(path.split(separator: "?").first ?? "")
    }

    /// - Parameters:
    ///   - isProven: whether the client has shown who it is.
    ///   - origin: the `Origin` header, which browsers send with every change (Fetch Standard, section 3.2).
    ///   - authority: the `Host` header.
    func verdict(
        _ method: HTTPRequest.Method, path: some StringProtocol, isProven: Bool, origin: String?, authority: String?
    ) -> Verdict {
        if asksForProof(method, path: path), !isProven { return .unproven }
        guard Self.isChange(method) else { return .allowed }
        if isReadOnly { return .readOnly }
        // Where nobody need prove anything, being on this host is the proof, and a browser here asks for others.
        if !needsProof, let origin, !Self.isOwnPage(origin, authority) { return .foreignPage }
        return .allowed
    }

    /// Whether a page came from this endpoint under a name that no other site can take for itself.
    private static func isOwnPage(_ origin: String, _ authority: String?) -> Bool {
        guard let authority, origin == "http://\(authority)" || origin == "https://\(authority)" else { return false }
        let host =
            authority.hasPrefix("[")
            ? authority.prefix { $0 != "]" } + (authority.contains("]") ? "]" : "") : authority.prefix { $0 != ":" }
        if host == "localhost" { return true }
        return (try? ListenAddress(parsing: "\(host):0")) != nil
    }
}
