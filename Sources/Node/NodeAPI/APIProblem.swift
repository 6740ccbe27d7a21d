// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import Hummingbird

/// Why a request is not answered as asked; becomes a ``ProblemDocument`` in ``ProblemMiddleware``, and only there.
struct APIProblem: Error {
    var status: HTTPResponse.Status
    /// The kind of problem in words.
    var title: String
    /// One sentence: what was wrong, and what to do.
    var detail: String
    /// The query parameter, path parameter or field at fault.
    var parameter: String?
    var headers = HTTPFields()

    static func badParameter(_ name: String, _ detail: String) -> Self {
        Self(status: .badRequest, title: "Bad parameter", detail: detail, parameter: name)
    }

    static func notFound(_ detail: String) -> Self {
        Self(status: .notFound, title: "Not found", detail: detail)
    }

    /// The set of leases is not known yet: the daemon has just started, or etcd has not answered so far.
    static func notReady(_ problem: String?) -> Self {
        Self(
            status: .serviceUnavailable, title: "Not ready",
            detail: "the leases have not been read from etcd yet; try again shortly"
                + (problem.map { " (\($0))" } ?? ""),
            headers: [.retryAfter: "1"])
    }

    func response(instance: String) -> Response {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body(instance: instance)))
    }

    func body(instance: String?) -> ByteBuffer {
        JSONBody.encode(
            ProblemDocument(
                title: title, status: status.code, detail: detail, instance: instance, parameter: parameter))
    }
}
