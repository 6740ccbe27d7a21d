// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging
import NodeAgent

/// The one place where what went wrong becomes a response (RFC 9457), and where each request is logged.
struct ProblemMiddleware: RouterMiddleware {
    let table: EndpointTable
    let metrics: NodeMetrics

    func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response = await answer(request, context, next)
        let took = ContinuousClock.now - start
        metrics.http(route: table.route(request.uri.path) ?? "unmatched", method: request.method.rawValue)
            .count(status: response.status.code, took: took)
        // What is read with an entity tag is the same for everybody who asks the same.
        if response.headers[.eTag] == nil || AccessPolicy.isChange(request.method) {
            response.headers[.requestID] = context.id
        }
        context.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)",
                "took": "\(took)",
            ])
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(
        _ request: Request, _ context: APIRequestContext,
        _ next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async -> Response {
        do {
            if let length = request.headers[.contentLength].flatMap(Int.init), length > APIRequestContext.largestBody {
                throw Self.tooLarge
            }
            guard request.method != .options else { return try options(request) }
            return try await next(request, context)
        } catch {
            let problem = problem(for: error, request, context.logger)
            return problem.response(instance: "urn:tartan:request:\(context.id)")
        }
    }

    private func options(_ request: Request) throws -> Response {
        let path = request.uri.path
        guard let allow = path == "*" ? "GET, HEAD, OPTIONS" : table.allow(path) else { throw Self.unknown(path) }
        return Response(status: .noContent, headers: [.allow: allow])
    }

    private func problem(for error: any Error, _ request: Request, _ logger: Logger) -> APIProblem {
        switch error {
        case let problem as APIProblem: return problem
        case let error as HTTPError where error.status == .notFound: return notFound(request)
        case let error as any HTTPResponseError where error.status == .contentTooLarge: return Self.tooLarge
        case let error as HTTPError:
            return APIProblem(
                status: error.status, title: error.status.reasonPhrase,
                detail: error.body ?? "the request can't be answered", headers: error.headers)
        case is CancellationError:
            return .unavailable(
                "the daemon is being stopped; ask it again shortly, and look first whether a change was made")
        default:
            logger.error("a request failed for a reason that nobody foresaw", metadata: ["error": "\(error)"])
            return APIProblem(
                status: .internalServerError, title: "Internal error",
                detail: "this is a bug; the daemon's log has the request's id and the reason")
        }
    }

    /// The router says the same where the path is unknown and where only the method is.
    private func notFound(_ request: Request) -> APIProblem {
        let path = request.uri.path
        guard let allow = table.allow(path) else { return Self.unknown(path) }
        return APIProblem(
            status: .methodNotAllowed, title: "Method not allowed",
            detail: "\(path) can't be asked with \(request.method); use \(allow)", headers: [.allow: allow])
    }

    private static func unknown(_ path: String) -> APIProblem {
        .notFound("there is no \(path); GET /openapi.yaml says what there is")
    }

    static var tooLarge: APIProblem {
        APIProblem(
            status: .contentTooLarge, title: "Content too large",
            detail: "a request's body may have \(APIRequestContext.largestBody) bytes",
            // What is left of the body must not be taken for the next request.
            headers: [.connection: "close"])
    }
}

extension HTTPField.Name {
    /// The id under which the daemon's log has the request.
    static var requestID: Self { Self("X-Request-Id") ?? .via }
}
