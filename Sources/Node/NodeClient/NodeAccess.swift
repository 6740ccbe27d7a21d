// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import FoundationEssentials

/// How a client knows a daemon and is known to it; what is `nil` is not needed. The files are read again when they
/// change.
package struct NodeAccess: Hashable, Sendable {
    /// PEM: who signed the daemon's certificate; `nil` for the system's authorities.
    package var authority: String?
    /// PEM: the client's own certificate.
    package var certificate: String?
    /// PEM: its key.
    package var key: String?
    /// A file whose first line is a token; comments and empty lines as in the daemon's own.
    package var tokenFile: String?

    package init(authority: String? = nil, certificate: String? = nil, key: String? = nil, tokenFile: String? = nil) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.tokenFile = tokenFile
    }

    var tls: CurlTLS? {
        guard authority != nil || certificate != nil else { return nil }
        return CurlTLS(caFile: authority, certFile: certificate, keyFile: key)
    }

    /// Shows the token, where there is one, and never where others could read it on the way.
    func authorize(_ request: inout CurlRequest, for server: ServerAddress) throws(NodeClientError) {
        guard let tokenFile else { return }
        guard server.keepsSecrets else {
            throw .badAccess("the token is not sent to \(server), where others could read it on the way; give https://")
        }
        request.headers.append(CurlHeader("Authorization", "Bearer \(try Self.token(in: tokenFile))"))
    }

    private static func token(in file: String) throws(NodeClientError) -> String {
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        } catch {
            let reason =
                switch (error as? CocoaError)?.code {
                case .fileReadNoSuchFile?: "does not exist"
                case .fileReadNoPermission?: "must not be read by this user"
                default: "can't be read"
                }
            throw .badAccess("the token file \(file) \(reason)")
        }
        let lines = text.split(whereSeparator: \.isNewline).map { line in line.filter { !$0.isWhitespace } }
        guard let token = lines.first(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else {
            throw .badAccess("the token file \(file) has no token")
        }
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .badAccess("the token file \(file) has a character that no token may have")
        }
        return token
    }
}
