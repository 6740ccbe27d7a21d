// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOSSL

/// The endpoint's certificate, key and clients' authorities as they were when last read, ready for connections.
struct TLSMaterial: Sendable {
    let context: NIOSSLContext
    /// When the endpoint's own certificate ends.
    let expires: Date

    /// What each file says is looked at by itself first, so that the fault names the one that has it.
    init(certificate: AccessFile, key: AccessFile, clientAuthorities: AccessFile?) throws(AccessError) {
        let chain = try Self.certificates(in: certificate)
        let privateKey: NIOSSLPrivateKey
        let keyBytes = try key.contents()
        do {
            privateKey = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
        } catch {
            throw key.fault("is not a private key in PEM without a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let clientAuthorities {
            configuration.trustRoots = .certificates(try Self.certificates(in: clientAuthorities))
            // One that is shown must be right, or there is no connection; who shows none gets no further than probes do.
            configuration.certificateVerification = .optionalVerification
            configuration.sendCANameList = true
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw key.fault(
                "is not the key of the certificate in \(certificate.path); give the two that belong together")
        }
        expires = chain.first.map { Date(timeIntervalSince1970: Double($0.notValidAfter)) } ?? .distantPast
    }

    private static func certificates(in file: AccessFile) throws(AccessError) -> [NIOSSLCertificate] {
        let bytes = try file.contents()
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw file.fault("has no certificate in PEM")
        }
        return certificates
    }
}
