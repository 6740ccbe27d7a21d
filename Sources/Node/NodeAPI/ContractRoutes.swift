// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/openapi.yaml`, the contract itself, and `/`, the map.
struct ContractRoutes: Sendable {
    var endpoints: [Endpoint] { [.get("/openapi.yaml", contract), MapPage().endpoint] }

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
}
