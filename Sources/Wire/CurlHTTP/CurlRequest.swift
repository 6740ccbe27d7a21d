// SPDX-License-Identifier: Apache-2.0

/// One HTTP request.
package struct CurlRequest: Sendable {
    package var method: CurlMethod
    package var url: String
    package var headers: [CurlHeader]
    package var body: [UInt8]

    /// Until the connection stands, name lookup and TLS included.
    package var connectTimeout: Duration
    /// Until the whole answer is there; of a stream, until its head is. `nil` for no limit.
    package var timeout: Duration?
    /// How long a stream may bring no byte before it counts as broken; `nil` for no limit.
    package var idleLimit: Duration?
    /// How long a stream may bring no byte before ``LineSequence/Iterator/nextOrSilence()`` says so; it goes on after.
    package var silenceNotice: Duration?
    /// The longest answer accepted; a stream has no such limit.
    package var maximumBodySize: Int
    /// Makes a connection for this request alone and closes it at the end.
    package var freshConnection: Bool
    /// Whether the request may be sent a second time, by itself, when a kept connection turns out closed. Where it may
    /// not, that is ``CurlError/closed(endpoint:reason:)``, and whether the server saw it is open.
    package var repeatable: Bool
    /// A Unix socket to connect to instead of the host in the URL.
    package var unixSocketPath: String?

    package init(
        method: CurlMethod = .get, url: String, headers: [CurlHeader] = [], body: [UInt8] = [],
        connectTimeout: Duration = .seconds(2), timeout: Duration? = .seconds(5), idleLimit: Duration? = nil,
        silenceNotice: Duration? = nil, maximumBodySize: Int = 256 << 20, freshConnection: Bool = false,
        repeatable: Bool = true, unixSocketPath: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.timeout = timeout
        self.idleLimit = idleLimit
        self.silenceNotice = silenceNotice
        self.maximumBodySize = maximumBodySize
        self.freshConnection = freshConnection
        self.repeatable = repeatable
        self.unixSocketPath = unixSocketPath
    }

    /// Whom the request is for, as errors name it: `host:port` or the socket's path, nothing secret.
    package var endpoint: String {
        if let unixSocketPath { return unixSocketPath }
        var rest = url[...]
        var port = ""
        if let scheme = url.firstRange(of: "://") {
            port = url[..<scheme.lowerBound] == "https" ? ":443" : ":80"
            rest = url[scheme.upperBound...]
        }
        rest = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let user = rest.lastIndex(of: "@") { rest = rest[rest.index(after: user)...] }
        let afterBracket = rest.lastIndex(of: "]").map { rest[$0...] } ?? rest
        return afterBracket.contains(":") ? String(rest) : rest + port
    }
}
