// SPDX-License-Identifier: Apache-2.0

import JSONText

/// `{"error","message","code"}`, or on a stream `{"grpc_code","message",...}`.
struct GatewayRefusal: Sendable {
    var code: GRPCCode?
    var message = ""

    init(_ json: inout JSONReader) throws(JSONError) {
        var code: GRPCCode?
        var message = ""
        try json.object { name, json throws(JSONError) in
            switch name {
            case "code", "grpc_code": code = GRPCCode(Int(truncatingIfNeeded: try json.integer()))
            case "message": message = try json.string()
            case "error" where json.peek() == .string && message.isEmpty: message = try json.string()
            default: try json.skip()
            }
        }
        self.code = code
        self.message = message
    }

    /// Why etcd ended a watch, which it says in words only.
    init(cancelReason: String) {
        code =
            if cancelReason.contains("permission denied") {
                .permissionDenied
            } else if cancelReason.contains("auth") {
                .unauthenticated
            } else {
                .aborted
            }
        message = "the watch was canceled: \(cancelReason.isEmpty ? "no reason given" : cancelReason)"
    }

    func error(endpoint: String) -> EtcdError {
        let code = code ?? .unknown
        // Without an answer from its quorum etcd does not know itself what became of a write.
        let isOpen = [.cancelled, .unavailable, .deadlineExceeded, .unknown, .internal, .aborted].contains(code)
        return EtcdError(.status(code, message: message), endpoint: endpoint, mayHaveApplied: isOpen)
    }

    /// What an answer with another status than 200 says. One that is not etcd's own comes from something between,
    /// which may have passed the request on.
    static func error(_ body: [UInt8], status: Int, endpoint: String) -> EtcdError {
        var json = JSONReader(body)
        guard let refusal = try? GatewayRefusal(&json), refusal.code != nil else {
            let text = String(decoding: body.prefix(200), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
            // etcd's server/embed/serve.go, which says no more than that the name will not be used.
            if text.hasPrefix("CommonName of client") {
                return EtcdError(
                    .credentials(
                        "etcd at \(endpoint) refuses a client certificate with a CommonName while its authentication is "
                            + "on; make the one of --etcd-certfile without a CN, as deploy/etcd/certificates does"),
                    endpoint: endpoint)
            }
            return EtcdError(
                .badAnswer("HTTP \(status) \(text)"), endpoint: endpoint, mayHaveApplied: status >= 500)
        }
        return refusal.error(endpoint: endpoint)
    }
}
