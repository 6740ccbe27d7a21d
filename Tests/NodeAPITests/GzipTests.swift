// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import NodeAPI

@Suite(.timeLimit(.minutes(1))) struct GzipTests {
    @Test(arguments: [
        (["gzip"], true), (["deflate", "gzip", "br"], true), (["gzip;q=0"], false), (["*"], true), ([], false),
        (["identity"], false), (["*;q=0"], false), (["gzip; q=0.5"], true), (["*", "gzip;q=0"], false),
        (["x-gzip"], true), (["GZIP"], true),
    ])
    func `gzip is given to who takes it`(codings: [String], isWelcome: Bool) {
        #expect(GzipNegotiation.isWelcome(codings.map { $0[...] }) == isWelcome)
    }

    @Test func `a compressed list is smaller, says so, and has a tag of its own`() async throws {
        let scene = try APIScene(leases: APIScene.leases(50), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            func ask(_ headers: String) async throws -> RawAnswer {
                try await RawConnection(address).ask("GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n")
            }
            let plain = try await ask("")
            let gzip = try await ask("Accept-Encoding: br, gzip\r\n")
            #expect(plain.headers["content-encoding"] == nil && plain.headers["vary"] == "Accept, Accept-Encoding")
            #expect(gzip.headers["content-encoding"] == "gzip" && gzip.headers["vary"] == plain.headers["vary"])
            #expect(gzip.body.starts(with: [0x1F, 0x8B]) && gzip.body.count < plain.body.count / 4)
            let tag = try #require(gzip.headers["etag"])
            #expect(tag.hasSuffix("-gzip\"") && tag != plain.headers["etag"])
            // From memory as well: the bytes of who takes gzip are not those of who does not.
            #expect(try await ask("").headers["content-encoding"] == nil)
            let known = try await ask("Accept-Encoding: gzip\r\nIf-None-Match: \(tag)\r\n")
            #expect(known.status == 304 && known.headers["etag"] == tag && known.body.isEmpty)
        }
    }

    @Test func `neither a small answer nor an event stream is compressed`() async throws {
        let scene = try APIScene(leases: APIScene.leases(50), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            let small = try await RawConnection(address)
                .ask("GET /livez HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
            #expect(small.text == "ok")
            let stream = try await RawConnection(address).ask(
                "GET /v1/leases HTTP/1.1\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip\r\n\r\n")
            #expect(stream.headers["content-encoding"] == nil)
            let head = try await RawConnection(address)
                .ask("HEAD /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n", hasBody: false)
            #expect(head.status == 200 && head.headers["content-encoding"] == nil)
        }
    }
}
