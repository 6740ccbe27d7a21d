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
    /// Whether only this host's programs reach it, over TCP: a browser among them.
    var isLoopback = false

    enum Verdict: Hashable, Sendable {
        case allowed
        case unproven
        case readOnly
        /// A web page of another site asks, in the name of whoever looks at it.
        case foreignPage
        /// This host is asked under a name that may be any site's.
        case foreignName
    }

    static func isChange(_ method: HTTPRequest.Method) -> Bool {
        method != .get && method != .head && method != .options
    }

    /// Whether the answer depends on who asks.
    func asksForProof(_ method: HTTPRequest.Method, path: some StringProtocol) -> Bool {
        needsProof && !Self.isHarmless(method, path: path)
    }

    /// What tells nothing: the probes, and the map page without its data.
    private static func isHarmless(_ method: HTTPRequest.Method, path: some StringProtocol) -> Bool {
        guard method != .options else { return true }
        return !isChange(method)
            && ["/", "/livez", "/readyz", "/healthz"].contains(path.split(separator: "?").first ?? "")
    }

    /// - Parameters:
    ///   - isProven: whether the client has shown who it is.
    ///   - origin: the `Origin` header, which browsers send with every change (Fetch Standard, section 3.2).
    ///   - authority: the `Host` header.
    func verdict(
        _ method: HTTPRequest.Method, path: some StringProtocol, isProven: Bool, origin: String?, authority: String?
    ) -> Verdict {
        if asksForProof(method, path: path), !isProven { return .unproven }
        // A page whose own name was made to mean this host is no foreign page to its browser, and could read as well.
        if isLoopback, !needsProof, !Self.isHarmless(method, path: path), let authority, !Self.isOwnName(authority) {
            return .foreignName
        }
        guard Self.isChange(method) else { return .allowed }
        if isReadOnly { return .readOnly }
        // Where nobody need prove anything, being on this host is the proof, and a browser here asks for others.
        if !needsProof, let origin, !Self.isOwnPage(origin, authority) { return .foreignPage }
        return .allowed
    }

    /// Whether a page came from this endpoint under a name that no other site can take for itself.
    private static func isOwnPage(_ origin: String, _ authority: String?) -> Bool {
        guard let authority, origin == "http://\(authority)" || origin == "https://\(authority)" else { return false }
        return isOwnName(authority)
    }

    /// An address, or localhost: names that no site's DNS decides.
    private static func isOwnName(_ authority: String) -> Bool {
        let host =
            authority.hasPrefix("[")
            ? authority.prefix { $0 != "]" } + (authority.contains("]") ? "]" : "") : authority.prefix { $0 != ":" }
        if host.lowercased() == "localhost" { return true }
        return (try? ListenAddress(parsing: "\(host):0")) != nil
    }
}
