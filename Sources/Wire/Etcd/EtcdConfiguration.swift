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
    /// For one try at one member. With several members short enough to have another answer within 5 s; with one, long
    /// enough to hear its own word for having no quorum, which takes it 7 s.
    package var requestTimeout: Duration

    package init(endpoints texts: [String]) throws(EtcdConfigurationError) {
        var endpoints: [String] = []
        for text in texts { endpoints.append(try Self.endpoint(text)) }
        guard !endpoints.isEmpty else { throw EtcdConfigurationError(text: "", reason: "names no endpoint") }
        self.endpoints = endpoints
        requestTimeout = endpoints.count > 1 ? .seconds(4) : .seconds(10)
    }

    /// A base URL; without a scheme it is `http`, as etcdctl has it.
    private static func endpoint(_ text: String) throws(EtcdConfigurationError) -> String {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts.count == 2 ? parts[0].lowercased() : "http"
        guard scheme == "http" || scheme == "https" else {
            throw EtcdConfigurationError(text: text, reason: "must start with http:// or https://")
        }
        var host = parts.last ?? ""
        if host.hasSuffix("/") { host = host.dropLast() }
        guard !host.isEmpty, !host.hasPrefix(":"),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"".utf8.contains($0) })
        else {
            throw EtcdConfigurationError(text: text, reason: "must be a host and a port, such as http://10.0.0.1:2379")
        }
        let afterBracket = host.lastIndex(of: "]").map { host[$0...] } ?? host
        if let colon = afterBracket.lastIndex(of: ":") {
            guard UInt16(afterBracket[afterBracket.index(after: colon)...]) ?? 0 > 0 else {
                throw EtcdConfigurationError(text: text, reason: "has a port that is not within 1 to 65535")
            }
        }
        return "\(scheme)://\(host)"
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
