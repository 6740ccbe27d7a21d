// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import JSONText
package import Logging

/// etcd's v3 API over its HTTP/JSON gateway (etcd documentation, "gRPC gateway").
///
/// A member that fails is left for the next; a request that may have taken effect is sent again only where doing it
/// twice does no harm, else ``EtcdError/mayHaveApplied`` tells the caller to look first.
package final class EtcdClient: Sendable {
    package let counters = EtcdCounters()
    let configuration: EtcdConfiguration
    let http: CurlClient
    let members: EndpointRotation
    let logger: Logger
    private let authentication: Authentication?

    package init(configuration: EtcdConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        members = EndpointRotation(configuration.endpoints, first: configuration.first)
        authentication = configuration.user.map(Authentication.init)
        http = CurlClient(configuration: CurlConfiguration(tls: configuration.tls, maximumLineLength: 256 << 20))
    }

    /// Ends every request and watch under way.
    package func shutdown() async { await http.shutdown() }

    /// The member that is asked next.
    package var endpoint: String { members.current }

    // MARK: What all calls share

    /// Sends a call to one member after another until one answers, and reads the answer.
    func call<Answer: Sendable>(
        _ path: String, _ body: [UInt8], isRepeatable: Bool = true,
        read: (inout JSONReader) throws(JSONError) -> Answer
    ) async throws(EtcdError) -> Answer {
        var triesLeft = members.endpoints.count
        while true {
            let endpoint = members.current
            do {
                let response = try await send(path, body, to: endpoint, isRepeatable: isRepeatable)
                return try Self.read(response, endpoint: endpoint, isWrite: !isRepeatable, read)
            } catch {
                guard error.isMembersTrouble else { throw error }
                members.moveOn(from: endpoint)
                triesLeft -= 1
                if triesLeft == 0 || error.mayHaveApplied && !isRepeatable { throw error }
                logger.debug("asking the next member of etcd", metadata: ["error": "\(error)"])
            }
        }
    }

    /// One try at one member; a token that is no longer taken is got anew once.
    private func send(
        _ path: String, _ body: [UInt8], to endpoint: String, isRepeatable: Bool
    ) async throws(EtcdError) -> CurlResponse {
        let token = try await token(endpoint)
        do {
            return try await exchange(path, body, to: endpoint, token: token, isRepeatable: isRepeatable)
        } catch {
            guard authentication != nil, Self.isAboutToken(error) else { throw error }
            authentication?.forget(token)
            let token = try await self.token(endpoint)
            return try await exchange(path, body, to: endpoint, token: token, isRepeatable: isRepeatable)
        }
    }

    private func exchange(
        _ path: String, _ body: [UInt8], to endpoint: String, token: String?, isRepeatable: Bool
    ) async throws(EtcdError) -> CurlResponse {
        counters.count(path)
        var request = request(path, body, endpoint: endpoint, token: token)
        request.repeatable = isRepeatable
        let response: CurlResponse
        do {
            response = try await http.send(request)
        } catch {
            throw EtcdError(error, endpoint: request.endpoint)
        }
        guard response.status == 200 else {
            throw Self.refusal(response.body, status: response.status, endpoint: request.endpoint)
        }
        return response
    }

    /// Opens a stream at one member, on a connection of its own: on a shared one large answers would starve it.
    func openStream(
        _ path: String, _ body: [UInt8], to endpoint: String, silenceNotice: Duration?
    ) async throws(EtcdError) -> LineSequence {
        let token = try await token(endpoint)
        counters.count(path)
        var request = request(path, body, endpoint: endpoint, token: token)
        request.headers.append(CurlHeader("Grpc-Metadata-hasleader", "true"))
        request.freshConnection = true
        request.silenceNotice = silenceNotice
        let stream: CurlStream
        do {
            stream = try await http.stream(request)
        } catch {
            throw EtcdError(error, endpoint: request.endpoint)
        }
        guard stream.status != 200 else { return stream.lines }
        var text: [UInt8] = []
        var lines = stream.lines.makeAsyncIterator()
        while text.count < 1 << 16, let line = try? await lines.next(isolation: #isolation) { text += line }
        let error = Self.refusal(text, status: stream.status, endpoint: request.endpoint)
        if authentication != nil, Self.isAboutToken(error) { authentication?.forget(token) }
        throw error
    }

    /// Whether the member's process still answers; any answer will do.
    func probe(_ endpoint: String, within limit: Duration) async -> Bool {
        var request = request("/version", [], endpoint: endpoint, token: nil)
        request.method = .get
        request.timeout = limit
        do {
            _ = try await http.send(request)
            return true
        } catch {
            return error == .cancelled
        }
    }

    private func request(_ path: String, _ body: [UInt8], endpoint: String, token: String?) -> CurlRequest {
        var request = CurlRequest(method: .post, url: endpoint + path, body: body)
        request.connectTimeout = configuration.connectTimeout
        request.timeout = configuration.requestTimeout
        if let token { request.headers.append(CurlHeader("Authorization", token)) }
        return request
    }

    private func token(_ endpoint: String) async throws(EtcdError) -> String? {
        guard let authentication else { return nil }
        if let token = authentication.token { return token }
        let body = try authentication.login(endpoint: endpoint)
        let response = try await exchange(
            "/v3/auth/authenticate", body, to: endpoint, token: nil, isRepeatable: true)
        guard
            let token = try Self.read(
                response, endpoint: endpoint, isWrite: false,
                { json throws(JSONError) in try Authentication.token(in: &json) })
        else { throw EtcdError(.badAnswer("it gave no token"), endpoint: endpoint) }
        authentication.accept(token)
        return token
    }

    private static func isAboutToken(_ error: EtcdError) -> Bool {
        guard case .status(let code, let message) = error.cause else { return false }
        return code == .unauthenticated || code == .invalidArgument && message.contains("auth")
    }

    private static func read<Answer>(
        _ response: CurlResponse, endpoint: String, isWrite: Bool,
        _ read: (inout JSONReader) throws(JSONError) -> Answer
    ) throws(EtcdError) -> Answer {
        var json = JSONReader(response.body)
        do throws(JSONError) {
            return try read(&json)
        } catch {
            throw EtcdError(.badAnswer("\(error)"), endpoint: endpoint, mayHaveApplied: isWrite)
        }
    }

    /// What an answer with another status than 200 says.
    static func refusal(_ body: [UInt8], status: Int, endpoint: String) -> EtcdError {
        var json = JSONReader(body)
        guard let refusal = try? GatewayRefusal(&json), let code = refusal.code else {
            let text = String(decoding: body.prefix(200), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
            return EtcdError(.badAnswer("HTTP \(status) \(text)"), endpoint: endpoint)
        }
        return refusal.error(code, endpoint: endpoint)
    }
}

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

    func error(_ code: GRPCCode, endpoint: String) -> EtcdError {
        // Without an answer from its quorum etcd does not know itself what became of a write.
        let isOpen = [.unavailable, .deadlineExceeded, .unknown, .internal, .aborted].contains(code)
        return EtcdError(.status(code, message: message), endpoint: endpoint, mayHaveApplied: isOpen)
    }
}
