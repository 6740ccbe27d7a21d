// SPDX-License-Identifier: Apache-2.0

/// Where a daemon's REST endpoint is: a URL without a path, or a Unix socket.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Where `tartand` listens unless it is told otherwise.
    package static let standard = ServerAddress(base: "http://127.0.0.1:9470", socketPath: nil)

    /// The URL that a path is put behind; of a socket one that names nobody.
    let base: String
    let socketPath: String?

    private init(base: String, socketPath: String?) {
        self.base = base
        self.socketPath = socketPath
    }

    package init(socketPath: String) { self.init(base: "http://localhost", socketPath: socketPath) }

    /// Reads `http://HOST:PORT`, `https://HOST:PORT`, `HOST:PORT` or `unix:PATH`; the port is 9470 where none is given.
    package init(parsing text: String) throws(ServerAddressError) {
        if text.hasPrefix("unix:") {
            var path = text.dropFirst("unix:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard path.hasPrefix("/") else { throw ServerAddressError(text: text) }
            // One slash, so that what is printed is read as the same again.
            self.init(socketPath: "/" + path.drop { $0 == "/" })
            return
        }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts.count == 2 ? parts[0].lowercased() : "http"
        var host = parts.last ?? ""
        if host.hasSuffix("/") { host = host.dropLast() }
        guard ["http", "https"].contains(scheme), !host.isEmpty, !host.hasPrefix(":"),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"".utf8.contains($0) })
        else { throw ServerAddressError(text: text) }
        let afterBracket = host.lastIndex(of: "]").map { host[$0...] } ?? host
        guard let colon = afterBracket.firstIndex(of: ":") else {
            self.init(base: "\(scheme)://\(host):9470", socketPath: nil)
            return
        }
        guard UInt16(afterBracket[afterBracket.index(after: colon)...]) ?? 0 > 0 else {
            throw ServerAddressError(text: text)
        }
        self.init(base: "\(scheme)://\(host)", socketPath: nil)
    }

    var isClearText: Bool { socketPath == nil && base.hasPrefix("http:") }

    /// Whether nobody but the daemon sees what is sent: it is encrypted, or does not leave this host.
    var keepsSecrets: Bool {
        guard isClearText else { return true }
        let host = base.dropFirst("http://".count)
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" }
        if name.hasPrefix("127.") { return name.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." } }
        return name == "localhost" || name == "[::1"
    }

    package var description: String { socketPath.map { "unix:\($0)" } ?? base }
}

/// A text that names no endpoint.
package struct ServerAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package var description: String {
        "'\(text)' is not a daemon's address; give http://127.0.0.1:9470, https://HOST:PORT or unix:/run/tartan/api.sock"
    }
}
