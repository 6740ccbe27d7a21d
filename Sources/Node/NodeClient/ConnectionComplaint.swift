// SPDX-License-Identifier: Apache-2.0

import CurlHTTP

/// Why a daemon could not be asked, in a sentence that says what to do; libcurl's and OpenSSL's own words where there is
/// none.
enum ConnectionComplaint {
    static func sentence(_ error: CurlError, _ server: ServerAddress) -> String {
        switch error {
        case .couldNotConnect, .couldNotResolve:
            return "no daemon answers at \(server); start tartand there, or name another one with --server"
        case .tls(_, let reason): return ofTLS(reason, server)
        case .closed(_, let reason) where reason.contains("alert"): return ofTLS(reason, server)
        case .closed(_, let reason) where server.isClearText:
            return "\(server) broke the connection (\(reason)); if it speaks TLS, give https://"
        default: return "the daemon at \(error)"
        }
    }

    /// By what OpenSSL 3 calls it (X509_verify_cert_error_string(3), SSL_alert_desc_string(3)).
    private static func ofTLS(_ reason: String, _ server: ServerAddress) -> String {
        let known: [(String, String)] = [
            ("alert certificate expired", "refuses the certificate of --cert, which has expired; get a new one"),
            (
                "alert unknown ca",
                "refuses the certificate of --cert: none of the authorities it knows (--api-client-cafile) signed it"
            ),
            (
                "alert certificate unknown",
                "refuses the certificate of --cert; it may have expired, or be of another authority"
            ),
            (
                "alert bad certificate",
                "refuses the certificate of --cert; it may have expired, or be of another authority"
            ),
            ("alert certificate required", "wants a certificate; give --cert and --key"),
            ("alert handshake failure", "and this client find no common way to encrypt"),
            (
                "certificate has expired",
                "shows a certificate that has expired; it needs a new one (--api-tls-certfile)"
            ),
            ("certificate is not yet valid", "shows a certificate that is not valid yet; look at both clocks"),
            ("issuer certificate", "shows a certificate of an authority that is not known here; give it with --ca"),
            ("self-signed", "shows a certificate of an authority that is not known here; give it with --ca"),
            ("self signed", "shows a certificate of an authority that is not known here; give it with --ca"),
            ("subject name", "shows a certificate for another name; ask it by a name that its certificate has"),
            ("wrong version number", "speaks no TLS; give http://"),
        ]
        for (word, sentence) in known where reason.contains(word) { return "the daemon at \(server) \(sentence)" }
        return "there is no secure connection to the daemon at \(server): \(reason)"
    }
}
