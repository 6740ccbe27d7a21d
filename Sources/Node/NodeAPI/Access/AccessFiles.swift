// SPDX-License-Identifier: Apache-2.0

/// Where the endpoint's certificate and what its clients prove themselves by are: the `--api-tls-`, `--api-client-` and
/// `--api-token-` options.
package struct AccessFiles: Hashable, Sendable {
    /// PEM, the endpoint's own certificate first, the chain after it; with it every TCP listener speaks TLS.
    package var certificate: String?
    /// PEM, of that certificate.
    package var key: String?
    /// PEM: who signs the certificates of clients.
    package var clientAuthorities: String?
    /// Tokens, one a line.
    package var tokens: String?

    package init(
        certificate: String? = nil, key: String? = nil, clientAuthorities: String? = nil, tokens: String? = nil
    ) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
        self.tokens = tokens
    }

    package var hasTLS: Bool { certificate != nil }
    /// Whether there is a way for a client to prove who it is.
    package var canAuthenticate: Bool { clientAuthorities != nil || tokens != nil }
}
