// SPDX-License-Identifier: Apache-2.0

/// Where the certificates for `https` are.
///
/// The files are looked at before each request and read again when one of them changed (inode, size or time); a
/// connection that was made with the older ones is then left alone and closes idle.
package struct CurlTLS: Hashable, Sendable {
    /// The authorities a server may be signed by, PEM; `nil` for the system's.
    package var caFile: String?
    /// Our certificate, PEM, the chain after it.
    package var certFile: String?
    /// Its key, PEM.
    package var keyFile: String?

    package init(caFile: String? = nil, certFile: String? = nil, keyFile: String? = nil) {
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
    }
}
