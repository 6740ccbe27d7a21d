// SPDX-License-Identifier: Apache-2.0

import Leases
import NIOCore
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

/// Answers from memory are those that would be given anew.
@Suite(.timeLimit(.minutes(1))) struct ResponseMemoTests {
    private static func isWhole(_ text: String) -> Bool { ResponseMemo.isWhole(ByteBuffer(string: text)) }

    @Test func `only one whole request without a body is looked for`() {
        #expect(Self.isWhole("GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        #expect(Self.isWhole("GET / HTTP/1.1\r\n\r\n"))
        for bad in [
            "", "GET ", "GET / HTTP/1.1\r\nHost: localhost\r\n", "GET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nGET", "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 1100))\r\n\r\n",
        ] {
            #expect(!Self.isWhole(bad), "\(bad)")
        }
    }

    @Test func `the same question gets the same answer until the leases change`() async throws {
        let scene = try APIScene(leases: APIScene.leases(3), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            let request = "GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let connection = try RawConnection(address)
            let first = try await connection.ask(request)
            let other = try RawConnection(address)
            // From memory, on another connection: counted like any other.
            #expect(try await other.ask(request) == first)
            #expect(try await connection.ask(request) == first)
            #expect(
                scene.metrics.contains(
                    "tartan_http_requests_total{method=\"GET\",route=\"/v1/leases\",status=\"200\"} 3"))
            scene.change([.gone(name: "10.244.1.0-24", at: Revision(16))], revision: 16)
            let second = try await connection.ask(request)
            #expect(second.text.hasPrefix("{\"revision\":\"16\"") && !second.text.contains("10.244.1.0"))
            #expect(second.headers["etag"] != first.headers["etag"])
            // This node's own lease is another thing that shows.
            let key = try SubnetKey(parsing: "10.244.2.0-24")
            scene.status.update { $0.lease = $0.leases[key] }
            #expect(try await connection.ask(request).text.contains("\"local\":true"))
        }
    }

    @Test func `what a lease has left is asked of etcd once for many questions`() async throws {
        let scene = try APIScene(listen: ListeningTests.anyPort)
        let grant = try await scene.store.grant(ttl: .seconds(3600))
        scene.replaceLeases([try LeaseFixtures.lease("10.244.20.0/24", node: 1, grant: grant.id.value)], revision: 20)
        let asked = scene.store.requestCount
        try await Running.run(scene) { address in
            for number in 0..<20 {
                let connection = try RawConnection(address)
                // The header makes half of them another question.
                let request = "GET /v1/leases/10.244.20.0-24 HTTP/1.1\r\nHost: localhost\r\nA: \(number % 2)\r\n\r\n"
                #expect(try await connection.ask(request).text.contains("\"ttl\":3"))
            }
        }
        #expect(scene.store.requestCount - asked == 1)
    }

    @Test func `requests in pieces, in one piece and behind each other are answered in order`() async throws {
        let scene = try APIScene(leases: APIScene.leases(3), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            let list = "GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let connection = try RawConnection(address)
            let answer = try await connection.ask(list)
            connection.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + list + "GET /livez HTTP/1.1\r\nX: ")
            #expect(try await connection.answer().text == "ok")
            #expect(try await connection.answer() == answer)
            // What looks like a question from memory is the end of a header.
            connection.send(list)
            #expect(try await connection.answer().text == "ok")
        }
    }

    @Test(arguments: ["Authorization: Bearer x", "Cookie: a=b", "Connection: close"])
    func `who shows who it is gets an answer of its own`(header: String) async throws {
        let scene = try APIScene(leases: APIScene.leases(3), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            let request = "GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\(header)\r\n\r\n"
            let connection = try RawConnection(address)
            let answer = try await connection.ask(request)
            #expect(answer.status == 200)
            #expect(scene.server.memo?.hit(ByteBuffer(string: request), at: .now()) == nil)
        }
    }
}

extension APIScene {
    /// What /metrics says now.
    var metrics: String {
        var text = MetricsText()
        status.metrics.registry.write(to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
