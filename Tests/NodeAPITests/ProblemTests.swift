// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct ProblemTests {
    @Test(arguments: [
        ("/v1/leases?limit=0", "limit"), ("/v1/leases?limit=x", "limit"), ("/v1/leases?limit=+1", "limit"),
        ("/v1/leases?limit=10001", "limit"), ("/v1/leases?limit=1&limit=2", "limit"), ("/v1/leases?kind=x", "kind"),
        ("/v1/leases?contains=x", "contains"), ("/v1/leases?contains=10.244.1.7/24", "contains"),
        ("/v1/leases?publicIP=1.2.3", "publicIP"), ("/v1/leases?nod=n1", "nod"), ("/v1/leases?node=%zz", "node"),
        ("/v1/leases?node=%ff", "node"), ("/v1/node?x", "x"), ("/openapi.yaml?a=b", "a"),
    ])
    func `a bad query is told with the parameter's name`(path: String, parameter: String) async throws {
        let response = try await APIScene(leases: APIScene.leases(3)).get(path)
        #expect(response.status == .badRequest)
        let problem = try response.problem()
        #expect(problem.parameter == parameter)
        #expect(problem.detail.contains(parameter) || problem.detail.contains("escape"))
    }

    @Test(arguments: ["/v1/lookup?ip=x", "/v1/leases?publicIP=x", "/v1/leases?contains=x"])
    func `where both families are welcome, both are named`(path: String) async throws {
        let problem = try await APIScene(leases: APIScene.leases(1)).get(path).problem()
        #expect(problem.detail.contains("IPv4 or IPv6 address"))
    }

    @Test(arguments: ["/v2/leases", "/v1", "/v1/leases/10.244.1.0-24/x", "/favicon.ico", "/v1/Leases"])
    func `an unknown path is a problem like any other`(path: String) async throws {
        let response = try await APIScene().get(path)
        #expect(response.status == .notFound)
        let problem = try response.problem()
        #expect(problem.detail.contains(path))
        #expect(problem.instance == "urn:tartan:request:\(try #require(response.headers[.requestID]))")
    }

    @Test func `a request that a stop cut short is no bug, and may be repeated`() async throws {
        let router = Router(context: APIRequestContext.self)
        router.add(middleware: ProblemMiddleware(table: EndpointTable([]), metrics: NodeMetrics()))
        router.get("late") { _, _ -> Response in throw CancellationError() }
        let response = try await Application(router: router).test(.router) { client in
            try await client.executeRequest(uri: "/late", method: .get, headers: [:], body: nil)
        }
        #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] == "1")
        #expect(try response.problem().detail.contains("stopped"))
    }

    @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .patch, .trace])
    func `a method that a path lacks is told with those that it has`(method: HTTPRequest.Method) async throws {
        let response = try await APIScene().get("/v1/node", method: method)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "GET, HEAD, OPTIONS")
        #expect(try response.problem().status == 405)
    }

    @Test func `OPTIONS says what a path can be asked`() async throws {
        let scene = try APIScene()
        let lease = try await scene.get("/v1/leases/10.244.1.0-24", method: .options)
        #expect(lease.headers[.allow] == "GET, DELETE, HEAD, OPTIONS")
        for path in ["/v1/node", "/", "*", "/readyz"] {
            let response = try await scene.get(path, method: .options)
            #expect(response.status == .noContent)
            #expect(response.headers[.allow] == "GET, HEAD, OPTIONS")
        }
        #expect(try await scene.get("/nowhere", method: .options).status == .notFound)
    }

    @Test(arguments: ["/v1/leases", "/v1/node", "/livez", "/openapi.yaml", "/", "/nowhere", "/v1/leases?limit=0"])
    func `HEAD is GET without the body`(path: String) async throws {
        let scene = try APIScene(leases: APIScene.leases(3))
        let get = try await scene.get(path)
        let head = try await scene.get(path, method: .head)
        #expect(head.status == get.status)
        #expect(head.text.isEmpty)
        #expect(head.headers[.contentType] == get.headers[.contentType])
        #expect(head.headers[.eTag] == get.headers[.eTag])
    }

    @Test(arguments: [
        ("/v1/leases", "text/html", 406), ("/v1/leases", "application/json;q=0", 406), ("/v1/node", "image/*", 406),
        ("/v1/leases", "text/html, */*;q=0.1", 200), ("/v1/leases", "Application/*", 200),
        ("/v1/leases", "*/*, application/json;q=0", 406), ("/openapi.yaml", "application/json", 406),
        ("/openapi.yaml", "text/plain", 200), ("/openapi.yaml", "application/yaml", 200),
        ("/", "application/json", 406),
        ("/v1/leases", "nonsense", 200),
    ])
    func `what a client can't read it does not get`(path: String, accept: String, status: Int) async throws {
        let response = try await APIScene().get(path, headers: [.accept: accept])
        #expect(response.status.code == status)
    }

    @Test func `a body that is too large is refused before it is read`() async throws {
        let response = try await APIScene().test { client in
            try await client.executeRequest(
                uri: "/v1/leases", method: .post, headers: [:],
                body: ByteBuffer(repeating: 0x20, count: APIRequestContext.largestBody + 1))
        }
        #expect(response.status == .contentTooLarge)
        #expect(try response.problem().title == "Content too large")
    }

    @Test func `the contract is served as it stands at the top of the repository`() async throws {
        let response = try await APIScene().get("/openapi.yaml")
        #expect(response.headers[.contentType] == "application/yaml")
        #expect(response.text.hasPrefix("# SPDX-License-Identifier: Apache-2.0\nopenapi: 3.1.0\n"))
    }
}
