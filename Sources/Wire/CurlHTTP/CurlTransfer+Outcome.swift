// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc

// What curl's result codes mean to a caller.
extension CurlTransfer {
    var phase: CurlError.Phase { sendings == 0 ? .connecting : .answering }

    func outcome(_ code: CURLcode) -> Result<Void, CurlError> {
        if code == CURLE_OK { return .success(()) }
        let found = abortReason ?? error(code)
        guard case .closed(let endpoint, let reason) = found, let call, mayBeRefusedCertificate(call) else {
            return .failure(found)
        }
        return .failure(.closed(endpoint: endpoint, reason: reason + Self.certificateHint))
    }

    /// The body, handed over without a copy.
    func takeBody() -> [UInt8] {
        let taken = body
        body = []
        return taken
    }

    private func error(_ code: CURLcode) -> CurlError {
        guard let call else { return .shutDown }
        let endpoint = call.endpoint
        let why = unsafe reason ?? String(cString: curl_easy_strerror(code))
        switch code {
        // Of a request that was sent it means that HTTP/0.9 came back.
        case CURLE_UNSUPPORTED_PROTOCOL where sendings > 0: return .badAnswer(endpoint: endpoint, reason: why)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_LOGIN_DENIED:
            return .badRequest(url: call.endpoint, reason: why)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return .couldNotResolve(endpoint: endpoint, reason: why)
        case CURLE_OPERATION_TIMEDOUT:
            let limit = phase == .connecting ? connectLimit(call) : call.request.timeout ?? .zero
            return .timedOut(endpoint: endpoint, phase: phase, after: limit)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_NOTFOUND:
            return .tls(endpoint: endpoint, reason: why)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
            return .badAnswer(endpoint: endpoint, reason: why)
        // With TLS 1.3 a server refuses a client's certificate after the handshake, as far as the client sees it; it has
        // not looked at the request then (RFC 8446 section 6.2).
        case _ where why.contains("alert") && Self.certificateAlerts.contains(where: why.contains):
            return .tls(
                endpoint: endpoint, reason: "the server refuses this client's certificate, or wants one: \(why)")
        default: break
        }
        // A kept connection that broke under the request is not "could not connect", whatever came of the second try.
        if sendings == 0 { return .couldNotConnect(endpoint: endpoint, reason: systemReason ?? why) }
        return .closed(endpoint: endpoint, reason: code == CURLE_COULDNT_CONNECT ? (systemReason ?? why) : why)
    }

    /// Whether a server may have closed a fresh connection because of the client's certificate: with TLS 1.3 it does so
    /// once it has seen what the client sent with it, and its alert may be lost over that.
    private func mayBeRefusedCertificate(_ call: CurlCall) -> Bool {
        call.request.url.hasPrefix("https:") && easy.number(CURLINFO_NUM_CONNECTS) > 0
            && easy.number(CURLINFO_RESPONSE_CODE) == 0
    }

    private static let certificateHint =
        "; a server that does not take this client's certificate, or wants one, does that"

    /// OpenSSL's words for alerts 42 to 48 and 116, which are about certificates (RFC 8446 section 6).
    private static let certificateAlerts = [
        "bad certificate", "unsupported certificate", "certificate revoked", "certificate expired",
        "certificate unknown", "unknown ca", "certificate required",
    ]

    private func connectLimit(_ call: CurlCall) -> Duration {
        min(call.request.connectTimeout, call.request.timeout ?? call.request.connectTimeout)
    }

    /// The kernel's own word, where it had one.
    private var systemReason: String? {
        let number = Int32(truncatingIfNeeded: easy.number(CURLINFO_OS_ERRNO))
        return number == 0 ? nil : unsafe String(cString: strerror(number))
    }
}
