// SPDX-License-Identifier: Apache-2.0

package import CurlHTTP

/// Why etcd did not do what it was asked.
package struct EtcdError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Cause: Hashable, Sendable {
        /// etcd's own answer.
        case status(GRPCCode, message: String)
        /// No answer.
        case transport(CurlError)
        /// An answer that is not etcd's.
        case badAnswer(String)
        /// The password file can't be read.
        case credentials(String)
        /// An open watch did not prove that its member still answers.
        case silent
        case cancelled
    }

    package let cause: Cause
    /// `host:port` of the member asked.
    package let endpoint: String
    /// Whether the request may have taken effect although this came instead of its answer.
    package let mayHaveApplied: Bool

    init(_ cause: Cause, endpoint: String, mayHaveApplied: Bool = false) {
        self.cause = cause
        self.endpoint = endpoint
        self.mayHaveApplied = mayHaveApplied
    }

    init(_ error: CurlError, endpoint: String) {
        let isCancelled = error == .cancelled || error == .shutDown
        self.init(
            isCancelled ? .cancelled : .transport(error), endpoint: endpoint, mayHaveApplied: error.mayHaveBeenSent)
    }

    /// Not inlined: where it is, the optimiser of Swift 6.3.1 stops with "found ownership error" (CopyPropagation).
    @inline(never)
    package var code: GRPCCode? {
        guard case .status(let code, _) = cause else { return nil }
        return code
    }

    /// Whether another member may do better.
    package var isMembersTrouble: Bool {
        switch cause {
        case .transport, .badAnswer, .silent: true
        case .status(let code, let message):
            [.unavailable, .deadlineExceeded, .internal, .cancelled].contains(code)
                || code == .unknown && message.contains("context deadline exceeded")
        case .credentials, .cancelled: false
        }
    }

    /// Whether etcd refuses for a reason that only an operator can mend.
    package var needsOperator: Bool {
        switch cause {
        case .status(let code, _):
            [
                .permissionDenied, .unauthenticated, .invalidArgument, .resourceExhausted, .unimplemented, .dataLoss,
            ].contains(code)
        case .credentials, .transport(.tls), .transport(.badRequest): true
        case .transport, .badAnswer, .silent, .cancelled: false
        }
    }

    package var description: String {
        switch cause {
        case .status(let code, let message): "etcd at \(endpoint) refuses: \(message) (\(code))\(hint(code, message))"
        case .transport(let error): "etcd at \(error)"
        case .badAnswer(let reason): "\(endpoint) does not answer like etcd's v3 gateway: \(reason)"
        case .credentials(let reason): reason
        case .silent: "etcd at \(endpoint) does not answer any more"
        case .cancelled: "the request to etcd was cancelled"
        }
    }

    private func hint(_ code: GRPCCode, _ message: String) -> String {
        switch code {
        case .permissionDenied: "; the role of --etcd-username must allow reading and writing --etcd-prefix"
        case .unauthenticated where message.contains("token"):
            "; a token that it has just given is not taken: all its members need the same --auth-token, and with jwt "
                + "the same key and clock"
        case .invalidArgument where message.contains("authentication failed"):
            "; check --etcd-username and the password in --etcd-password-file"
        case .resourceExhausted where message.contains("space"):
            "; its database is full: compact, defragment, then 'etcdctl alarm disarm'"
        case .invalidArgument where message.contains("user name is empty"):
            "; it asks for --etcd-username and --etcd-password-file"
        default: ""
        }
    }
}
