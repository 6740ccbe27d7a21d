// SPDX-License-Identifier: Apache-2.0

/// What the loop is asked to do, in order.
enum CurlCommand: Sendable {
    case start(CurlCall, CurlReceiver)
    case cancel(CurlCall)
    /// The stream's consumer made room.
    case resume(CurlCall)
    /// Connections made until now are of no use any more.
    case renewConnections
}

/// Where an answer goes. Each continuation is resumed once, by whoever takes the receiver out of the transfer.
enum CurlReceiver: Sendable {
    case response(CheckedContinuation<Result<CurlResponse, CurlError>, Never>)
    case stream(CheckedContinuation<Result<CurlStream, CurlError>, Never>, LineBuffer)

    func fail(_ error: CurlError) {
        switch self {
        case .response(let continuation): continuation.resume(returning: .failure(error))
        case .stream(let continuation, _): continuation.resume(returning: .failure(error))
        }
    }
}
