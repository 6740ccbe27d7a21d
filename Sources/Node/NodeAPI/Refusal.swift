// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Why a connection ends before its request was one that a route could answer; told as a problem like any other.
enum Refusal: Hashable {
    case malformed
    case headTooLarge
    case slow
    case bodyTooLarge
    case tooManyConnections

    var problem: APIProblem {
        switch self {
        case .malformed:
            APIProblem(
                status: .badRequest, title: "Malformed request",
                detail: "what came is not a request of HTTP/1.1 (RFC 9112)")
        case .headTooLarge:
            APIProblem(
                status: .requestHeaderFieldsTooLarge, title: "Request header too large",
                detail: "a request's head may have \(ConnectionLimits.headSize) bytes and "
                    + "\(ConnectionLimits.fieldCount) fields of \(ConnectionLimits.fieldSize) bytes each")
        case .slow:
            APIProblem(
                status: .requestTimeout, title: "Request timeout",
                detail: "the request took too long to come; send it at once")
        case .bodyTooLarge: ProblemMiddleware.tooLarge
        case .tooManyConnections:
            APIProblem(
                status: .serviceUnavailable, title: "Too many connections",
                detail: "this endpoint has as many connections as it may; try again later",
                headers: [.retryAfter: "5"])
        }
    }

    /// The whole answer, as it goes over the wire.
    var bytes: ByteBuffer {
        let problem = problem
        let body = problem.body(instance: nil)
        var text = "HTTP/1.1 \(problem.status.code) \(problem.status.reasonPhrase)\r\n"
        text += "Content-Type: application/problem+json\r\nCache-Control: no-store\r\nConnection: close\r\n"
        if let pause = problem.headers[.retryAfter] { text += "Retry-After: \(pause)\r\n" }
        text += "Content-Length: \(body.readableBytes)\r\n\r\n"
        var bytes = ByteBuffer(string: text)
        bytes.writeImmutableBuffer(body)
        return bytes
    }
}
