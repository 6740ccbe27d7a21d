// SPDX-License-Identifier: Apache-2.0

package import CurlHTTP

/// Where etcd is and how it is spoken to.
package struct EtcdConfiguration: Hashable, Sendable {
    /// Base URLs of the members, `http` or `https`, no path.
    package let endpoints: [String]
    /// The member asked first, by its place; nodes with different numbers spread over the members.
    package var first: Int = 0
    package var tls: CurlTLS?
    package var user: EtcdUser?
    package var connectTimeout: Duration = .seconds(2)
    /// For one try at one member. With several members short enough to have another answer within 5 s, also on a busy
    /// machine; with one, long
    /// enough to hear its own word for having no quorum, which takes it 7 s.
    package var requestTimeout: Duration

    package init(endpoints texts: [String]) throws(EtcdConfigurationError) {
        var endpoints: [String] = []
        for text in texts { endpoints.append(try Self.endpoint(text)) }
        guard !endpoints.isEmpty else { throw EtcdConfigurationError(text: "", reason: "names no endpoint") }
        self.endpoints = endpoints
        requestTimeout = endpoints.count > 1 ? .seconds(3) : .seconds(10)
    }

    /// A base URL; without a scheme it is `http`, as etcdctl has it.
    private static func endpoint(_ text: String) throws(EtcdConfigurationError) -> String {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts.count == 2 ? parts[0].lowercased() : "http"
        guard scheme == "http" || scheme == "https" else {
            throw EtcdConfigurationError(text: text, reason: "must start with http:// or https://")
        }
        var authority = parts.last ?? ""
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        guard let port = port(of: authority) else {
            throw EtcdConfigurationError(text: text, reason: "must be a host and a port, such as http://10.0.0.1:2379")
        }
        guard port.isEmpty || (1...65_535).contains(Int(port) ?? 0) else {
            throw EtcdConfigurationError(text: text, reason: "has a port that is not within 1 to 65535")
        }
        return "\(scheme)://\(authority)"
    }

    /// What stands behind the host: empty where nothing does, `nil` where the host is none. An IPv6 address stands in
    /// brackets, or nobody could tell its end from the port.
    private static func port(of authority: Substring) -> Substring? {
        let isLegal = authority.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"".utf8.contains($0) }
        guard isLegal else { return nil }
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            let host = authority[authority.index(after: authority.startIndex)..<bracket]
            let rest = authority[authority.index(after: bracket)...]
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." || $0 == "%" }) else {
                return nil
            }
            return rest.isEmpty ? rest : digits(after: rest)
        }
        guard let colon = authority.firstIndex(of: ":") else { return authority.isEmpty ? nil : "" }
        return colon == authority.startIndex ? nil : digits(after: authority[colon...])
    }

    private static func digits(after colon: Substring) -> Substring? {
        let digits = colon.dropFirst()
        guard colon.first == ":", !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return digits
    }
}

/// Who we are to an etcd with authentication. The password stays in its file and is read when a token is asked for.
package struct EtcdUser: Hashable, Sendable {
    package var name: String
    package var passwordFile: String

    package init(name: String, passwordFile: String) {
        self.name = name
        self.passwordFile = passwordFile
    }
}

/// An endpoint that can't be one.
package struct EtcdConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let reason: String

    package var description: String { "etcd endpoint '\(text)' \(reason)" }
}
