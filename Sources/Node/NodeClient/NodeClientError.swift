// SPDX-License-Identifier: Apache-2.0

package import APISchema
package import CurlHTTP

/// Why the daemon did not do what it was asked.
package enum NodeClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No answer.
    case unreachable(CurlError, server: ServerAddress)
    /// The daemon's own word (RFC 9457).
    case refused(ProblemDocument)
    /// An answer that is not the daemon's, or not of this version.
    case badAnswer(server: ServerAddress, status: Int, reason: String)

    package var description: String {
        switch self {
        case .unreachable(let error, let server):
            switch error {
            case .couldNotConnect, .couldNotResolve:
                "no daemon answers at \(server); start tartand there, or name another one with --server"
            default: "the daemon at \(error)"
            }
        case .refused(let problem): problem.detail.isEmpty ? problem.title : problem.detail
        case .badAnswer(let server, let status, let reason):
            "\(server) does not answer like a tartand of this version (status \(status)): \(reason)"
        }
    }

    /// The status of an answer; `nil` where none came.
    package var status: Int? {
        switch self {
        case .unreachable: nil
        case .refused(let problem): problem.status
        case .badAnswer(_, let status, _): status
        }
    }
}
