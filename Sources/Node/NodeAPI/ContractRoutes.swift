// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/openapi.yaml`, the contract itself, and `/`, a page for people.
struct ContractRoutes: Sendable {
    let version: String

    var endpoints: [Endpoint] { [.get("/openapi.yaml", contract), .get("/", page)] }

    /// openapi.yaml as it was when this was built.
    static let contractText = PackageResources.openapi_yaml

    private func contract(_ request: Request, _ context: APIRequestContext) throws -> Response {
        _ = try QueryParameters(request.uri.query, allowing: [])
        // RFC 9512; an Accept header for any kind of text gets it as well.
        let accept = AcceptHeader(request)
        if accept.quality(of: "text/plain") == 0 { try accept.require("application/yaml") }
        return Response(
            status: .ok, headers: [.contentType: "application/yaml", .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.contractText)))
    }

    private func page(_ request: Request, _ context: APIRequestContext) throws -> Response {
        _ = try QueryParameters(request.uri.query, allowing: [])
        try AcceptHeader(request).require("text/html")
        let links = ["/v1/leases", "/v1/node", "/v1/network", "/v1/dataplane", "/readyz?verbose", "/openapi.yaml"]
            .map { "<li><a href=\"\($0)\">\($0)</a></li>" }.joined()
        let html = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Tartan</title>\
            <h1>Tartan \(version)</h1><ul>\(links)</ul></html>

            """
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache",
                .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
