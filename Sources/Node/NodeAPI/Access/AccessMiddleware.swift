// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import NIOSSL

/// Asks ``AccessPolicy`` before any route, also before one that there is not.
struct AccessMiddleware: RouterMiddleware {
    let policy: AccessPolicy
    let access: APIAccess
    /// Whether clients of this listener may show a certificate.
    let takesCertificates: Bool

    init(_ listener: APIListener, access: APIAccess) {
        self.access = access
        takesCertificates = access.files.clientAuthorities != nil && listener.hasTLS(access.files)
        // On a socket there are no certificates: there the file's mode says who may connect.
        policy = AccessPolicy(
            isReadOnly: listener.isReadOnly, needsProof: access.files.tokens != nil || takesCertificates,
            isLoopback: listener.isLoopback)
    }

    func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        let isProven = policy.asksForProof(request.method, path: path) ? await isProven(request, context) : false
        let verdict = policy.verdict(
            request.method, path: path, isProven: isProven, origin: request.headers[.origin],
            authority: request.head.authority)
        switch verdict {
        case .allowed: return try await next(request, context)
        case .unproven: throw unproven(hasShownToken: request.headers[.authorization] != nil)
        case .readOnly:
            throw APIProblem(
                status: .forbidden, title: "Read only",
                detail: "nothing can be changed at this address, which is one of --api-listen-readonly; ask another one"
            )
        case .foreignName:
            throw APIProblem(
                status: .forbidden, title: "Foreign name",
                detail:
                    "this host is asked here under a name that may be another site's; ask for 127.0.0.1, [::1] or "
                    + "localhost")
        case .foreignPage:
            throw APIProblem(
                status: .forbidden, title: "Foreign page",
                detail:
                    "a web page of another site can't change anything here; a program need not send an Origin header")
        }
    }

    private func isProven(_ request: Request, _ context: APIRequestContext) async -> Bool {
        if access.admits(authorization: request.headers[.authorization]) { return true }
        guard takesCertificates else { return false }
        // One that is there has been verified: with any other there is no connection.
        return (try? await context.channel.nioSSL_peerCertificate().get()) != nil
    }

    private func unproven(hasShownToken: Bool) -> APIProblem {
        let takesTokens = access.files.tokens != nil
        var ways: [String] = []
        if takesTokens {
            ways.append("send 'Authorization: Bearer TOKEN' with a token of the daemon's --api-token-file")
        }
        if takesCertificates {
            ways.append("show a client certificate that an authority of --api-client-cafile signed")
        }
        let fault =
            takesTokens && hasShownToken ? "the token that was sent is not a known one" : "it is not known who asks"
        var problem = APIProblem(
            status: .unauthorized, title: "Not authenticated", detail: "\(fault); \(ways.joined(separator: ", or "))")
        problem.headers[.wwwAuthenticate] =
            takesTokens
            ? "Bearer realm=\"tartan\"" + (hasShownToken ? ", error=\"invalid_token\"" : "")
            : "Certificate realm=\"tartan\""
        return problem
    }
}

extension APIListener {
    /// Whether it is one that a browser on this host reaches, and nobody from outside.
    var isLoopback: Bool {
        if case .tcp = address { return address.isLocal }
        return false
    }

    /// Whether connections are encrypted: TCP's are wherever there is a certificate.
    func hasTLS(_ files: AccessFiles) -> Bool {
        if case .tcp = address { return files.hasTLS }
        return false
    }
}
