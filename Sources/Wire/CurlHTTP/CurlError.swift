// SPDX-License-Identifier: Apache-2.0

/// Why a request has no answer. An answer with an unwelcome status is none of these.
package enum CurlError: Error, Hashable, Sendable {
    /// How far a request was when its time was over.
    package enum Phase: String, Hashable, Sendable {
        case connecting
        case answering
    }

    case badRequest(url: String, reason: String)
    case couldNotResolve(endpoint: String, reason: String)
    case couldNotConnect(endpoint: String, reason: String)
    case tls(endpoint: String, reason: String)
    case timedOut(endpoint: String, phase: Phase, after: Duration)
    /// The connection broke before the answer was complete.
    case closed(endpoint: String, reason: String)
    /// A stream brought nothing for longer than allowed.
    case idle(endpoint: String, after: Duration)
    case lineTooLong(endpoint: String, limit: Int)
    case bodyTooLarge(endpoint: String, limit: Int)
    /// What came is not HTTP as we know it.
    case badAnswer(endpoint: String, reason: String)
    case cancelled
    /// The client was shut down.
    case shutDown

    /// Whether the server may have seen the request, so that sending it again may do the thing twice.
    package var mayHaveBeenSent: Bool {
        switch self {
        case .badRequest, .couldNotResolve, .couldNotConnect, .tls: false
        case .timedOut(_, let phase, _): phase == .answering
        case .closed, .idle, .lineTooLong, .bodyTooLarge, .badAnswer, .cancelled, .shutDown: true
        }
    }
}

extension CurlError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badRequest(let url, let reason): "cannot send a request to \(url): \(reason)"
        case .couldNotResolve(let endpoint, let reason): "\(endpoint): cannot find the host: \(reason)"
        case .couldNotConnect(let endpoint, let reason): "\(endpoint): cannot connect: \(reason)"
        case .tls(let endpoint, let reason): "\(endpoint): no secure connection: \(reason)"
        case .timedOut(let endpoint, .connecting, let after): "\(endpoint): no connection within \(after)"
        case .timedOut(let endpoint, .answering, let after): "\(endpoint): no answer within \(after)"
        case .closed(let endpoint, let reason): "\(endpoint): the connection broke: \(reason)"
        case .idle(let endpoint, let after): "\(endpoint): silent for \(after)"
        case .lineTooLong(let endpoint, let limit): "\(endpoint): sent a line longer than \(limit) bytes"
        case .bodyTooLarge(let endpoint, let limit): "\(endpoint): sent an answer larger than \(limit) bytes"
        case .badAnswer(let endpoint, let reason): "\(endpoint): sent no valid answer: \(reason)"
        case .cancelled: "the request was cancelled"
        case .shutDown: "the HTTP client was shut down"
        }
    }
}
