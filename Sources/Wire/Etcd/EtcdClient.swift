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
    private let observe: @Sendable (EtcdExchange) -> Void
    private let authentication: Authentication?

    /// - Parameter observe: told of each request that has ended, on the way of the next one: be quick.
    package init(
        configuration: EtcdConfiguration, logger: Logger,
        observe: @escaping @Sendable (EtcdExchange) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.observe = observe
        members = EndpointRotation(configuration.endpoints, first: configuration.first)
        authentication = configuration.user.map(Authentication.init)
        http = CurlClient(configuration: CurlConfiguration(tls: configuration.tls, maximumLineLength: 256 << 20))
    }

    /// Ends every request and watch under way.
    package func shutdown() async { await http.shutdown() }

    /// This host's address has changed: requests and watches go on over new connections, at once.
    package func renewConnections() { http.renewConnections() }

    /// The member that is asked next.
    package var endpoint: String { members.current }

    /// Sends a call to one member after another until one answers, and reads the answer.
    ///
    /// - Parameter refusal: what in an answer that was read is none.
    func call<Answer: Sendable>(
        _ path: String, _ body: [UInt8], isRepeatable: Bool = true,
        refusal: (Answer) -> GatewayRefusal? = { _ in nil },
        read: (inout JSONReader) throws(JSONError) -> Answer
    ) async throws(EtcdError) -> Answer {
        var triesLeft = members.endpoints.count
        while true {
            let endpoint = members.current
            do throws(EtcdError) {
                let response = try await authorized(endpoint) { token async throws(EtcdError) in
                    try await exchange(path, body, to: endpoint, token: token, isRepeatable: isRepeatable)
                }
                let answer = try Self.read(response, endpoint: endpoint, isWrite: !isRepeatable, read)
                if let refusal = refusal(answer) { throw refusal.error(endpoint: endpoint) }
                return answer
            } catch {
                guard error.isMembersTrouble else { throw error }
                members.moveOn(from: endpoint)
                triesLeft -= 1
                if triesLeft == 0 || error.mayHaveApplied && !isRepeatable { throw error }
                logger.debug("asking the next member of etcd", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Asks with a token, where there are such; one that is no longer taken is got anew once.
    private func authorized<Answer: Sendable>(
        _ endpoint: String, _ ask: (_ token: String?) async throws(EtcdError) -> Answer
    ) async throws(EtcdError) -> Answer {
        let token = try await token(endpoint)
        do {
            return try await ask(token)
        } catch {
            guard let authentication, Self.isAboutToken(error) else { throw error }
            authentication.forget(token)
            // Nothing that an operator need do: said so that a cluster where it happens all the time can be told.
            logger.info(
                "etcd does not take its token any more, which expires; logging in again",
                metadata: ["user": "\(authentication.user.name)", "error": "\(error)"])
            return try await ask(try await self.token(endpoint))
        }
    }

    private func exchange(
        _ path: String, _ body: [UInt8], to endpoint: String, token: String?, isRepeatable: Bool
    ) async throws(EtcdError) -> CurlResponse {
        counters.count(path)
        var request = request(path, body, endpoint: endpoint, token: token)
        request.repeatable = isRepeatable
        let start = ContinuousClock.now
        let response: CurlResponse
        do {
            response = try await http.send(request)
        } catch {
            observe(EtcdExchange(path: path, outcome: .init(error), took: .now - start))
            throw EtcdError(error, endpoint: request.endpoint)
        }
        observe(EtcdExchange(path: path, outcome: .init(status: response.status), took: .now - start))
        guard response.status == 200 else {
            throw GatewayRefusal.error(response.body, status: response.status, endpoint: request.endpoint)
        }
        return response
    }

    /// Opens a stream at one member, on a connection of its own: on a shared one large answers would starve it.
    func openStream(
        _ path: String, _ body: [UInt8], to endpoint: String, silenceNotice: Duration
    ) async throws(EtcdError) -> LineSequence {
        try await authorized(endpoint) { token async throws(EtcdError) in
            counters.count(path)
            var request = request(path, body, endpoint: endpoint, token: token)
            request.headers.append(CurlHeader("Grpc-Metadata-hasleader", "true"))
            request.freshConnection = true
            request.silenceNotice = silenceNotice
            let start = ContinuousClock.now
            let stream: CurlStream
            do throws(CurlError) {
                stream = try await http.stream(request)
            } catch {
                observe(EtcdExchange(path: path, outcome: .init(error), took: .now - start))
                throw EtcdError(error, endpoint: request.endpoint)
            }
            observe(EtcdExchange(path: path, outcome: .init(status: stream.status), took: .now - start))
            if stream.status == 200 { return stream.lines }
            let text = await Self.text(of: stream.lines)
            throw GatewayRefusal.error(text, status: stream.status, endpoint: request.endpoint)
        }
    }

    /// What a stream says that is none but a refusal; also of a server that never ends it.
    private static func text(of lines: LineSequence) async -> [UInt8] {
        var text: [UInt8] = []
        var lines = lines.makeAsyncIterator()
        while text.count < 1 << 16, case .line(let line)? = try? await lines.nextOrSilence() { text += line }
        return text
    }

    /// The token was not good enough for a watch, which etcd says without telling an expired one from one that may
    /// not: the next try gets a new one.
    func forgetToken() {
        if let authentication { authentication.forget(authentication.token) }
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
        if authentication.isSettled { return authentication.token }
        let body = try authentication.login(endpoint: endpoint)
        let response: CurlResponse
        do {
            response = try await exchange(
                "/v3/auth/authenticate", body, to: endpoint, token: nil, isRepeatable: true)
        } catch {
            guard error.code == .failedPrecondition else { throw error }
            // "authentication is not enabled": then nobody is asked who he is.
            authentication.accept(nil)
            return nil
        }
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
        // The second is said of a token from before a change of users or roles, the third of none at all.
        return code == .unauthenticated
            || code == .invalidArgument && (message.contains("auth") || message.contains("user name is empty"))
    }

    private static func read<Answer>(
        _ response: CurlResponse, endpoint: String, isWrite: Bool,
        _ read: (inout JSONReader) throws(JSONError) -> Answer
    ) throws(EtcdError) -> Answer {
        var json = JSONReader(response.body)
        do throws(JSONError) {
            let answer = try read(&json)
            try json.finish()
            return answer
        } catch {
            throw EtcdError(.badAnswer("\(error)"), endpoint: endpoint, mayHaveApplied: isWrite)
        }
    }
}
