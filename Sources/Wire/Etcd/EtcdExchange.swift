// SPDX-License-Identifier: Apache-2.0

import CurlHTTP

/// One request to one member, as it ended; of a stream, how its opening did.
package struct EtcdExchange: Hashable, Sendable {
    package enum Outcome: String, CaseIterable, Sendable {
        case answered
        /// etcd said no, whatever the reason.
        case refused
        /// No answer: not reachable, cut off, or too late.
        case failed
        /// Given up by ourselves.
        case cancelled

        init(status: Int) { self = status == 200 ? .answered : .refused }

        init(_ error: CurlError) { self = error == .cancelled ? .cancelled : .failed }
    }

    /// Of the gateway, such as `/v3/kv/range`.
    package let path: String
    package let outcome: Outcome
    package let took: Duration

    /// The path's own part: `kv_range`.
    package var operation: String {
        String(path.split(separator: "/").dropFirst().joined(separator: "_"))
    }
}
