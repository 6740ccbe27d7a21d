// SPDX-License-Identifier: Apache-2.0

package import APISchema
package import CurlHTTP

/// Why the daemon did not do what it was asked.
package enum NodeClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No answer.
    case unreachable(CurlError, server: ServerAddress)
    /// The daemon's own word (RFC 9457).
    case refused(ProblemDocument)
    /// What the client was given to prove itself by can't be used; nothing was sent.
    case badAccess(String)
    /// An answer that is not the daemon's, or not of this version.
    case badAnswer(server: ServerAddress, status: Int, reason: String)

    package var description: String {
        switch self {
        case .unreachable(let error, let server): ConnectionComplaint.sentence(error, server)
        case .refused(let problem) where problem.status == 401:
            "the daemon does not know who asks: \(problem.detail); give --token-file, or --cert and --key"
        case .badAccess(let sentence): sentence
        case .refused(let problem): problem.detail.isEmpty ? problem.title : problem.detail
        case .badAnswer(let server, let status, let reason):
            "\(server) does not answer like a tartand of this version (status \(status)): \(reason)"
        }
    }

    /// The status of an answer; `nil` where none came.
    package var status: Int? {
        switch self {
        case .unreachable, .badAccess: nil
        case .refused(let problem): problem.status
        case .badAnswer(_, let status, _): status
        }
    }
}
