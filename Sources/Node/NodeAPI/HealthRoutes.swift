// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NodeAgent

/// `/livez`, `/readyz` and `/healthz`, in the words of kubernetes' own components, for probes and people.
///
/// Alive is a process that answers: a restart mends nothing that only etcd or an operator can. Ready is a node whose
/// pods can be sent traffic. `/healthz`, the older name, is what it is for flanneld: alive.
struct HealthRoutes: Sendable {
    let status: NodeStatus

    var endpoints: [Endpoint] {
        [
            .get("/livez") { request, _ in Self.answer("livez", request, []) },
            .get("/healthz") { request, _ in Self.answer("healthz", request, []) },
            .get("/readyz") { [status] request, _ in
                let now = status.clock.now
                return Self.answer("readyz", request, status.read { $0.readiness(at: now) })
            },
        ]
    }

    /// A probe is answered whatever its Accept header and query say: it must not fail for its own form.
    private static func answer(
        _ name: String, _ request: Request, _ checks: [(name: String, problem: String?)]
    ) -> Response {
        let isFine = checks.allSatisfy { $0.problem == nil }
        let isVerbose = request.uri.query?.split(separator: "&").contains {
            $0.split(separator: "=").first == "verbose"
        }
        let text: String
        if isFine, isVerbose != true {
            text = "ok"
        } else {
            let lines =
                ["[+]ping ok"]
                + checks.map { check in
                    check.problem.map { "[-]\(check.name) failed: \($0)" } ?? "[+]\(check.name) ok"
                }
            text = lines.joined(separator: "\n") + "\n\(name) check \(isFine ? "passed" : "failed")\n"
        }
        return Response(
            status: isFine ? .ok : .serviceUnavailable,
            headers: [
                .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
