// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Synchronization
import Testing

@Suite struct RequestTests {
    private let client = CurlClient()

    @Test func `method, path, headers and body go out as they were given`() async throws {
        let seen = Mutex<ScriptedConnection.Request?>(nil)
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                seen.withLock { $0 = request }
                connection.write(answer("thanks", "X-Kind:  a word \r\n"))
            }
        }
        defer { server.stop() }
        let body = (0...255).map { UInt8($0) }
        let response = try await client.send(
            CurlRequest(
                method: .post, url: server.url + "/v3/kv/range?x=1",
                headers: [CurlHeader("Authorization", "secret"), CurlHeader("X-Empty", "")], body: body))
        #expect(response.status == 200)
        #expect(response.body == Array("thanks".utf8))
        #expect(response.headers["x-kind"] == "a word")
        #expect(response.headers["X-None"] == nil)
        let request = try #require(seen.withLock { $0 })
        #expect(request.head.hasPrefix("POST /v3/kv/range?x=1 HTTP/1.1\r\n"))
        #expect(request.head.contains("\r\nAuthorization: secret\r\n"))
        #expect(request.head.contains("\r\nX-Empty:\r\n"))
        #expect(!request.head.contains("Expect:") && !request.head.contains("Content-Type:"))
        #expect(request.body == body)
    }

    @Test(arguments: [CurlMethod.get, .put, .patch, .delete, .post])
    func `one handle carries every method in turn`(method: CurlMethod) async throws {
        let seen = Mutex<[String]>([])
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                seen.withLock { $0.append(String(request.head.prefix { $0 != " " }) + " \(request.body.count)") }
                connection.write(answer("x"))
            }
        }
        defer { server.stop() }
        let body: [UInt8] = method == .get ? [] : [1, 2]
        _ = try await client.send(CurlRequest(method: method, url: server.url, body: body))
        _ = try await client.send(CurlRequest(method: .get, url: server.url))
        _ = try await client.send(CurlRequest(method: .post, url: server.url))
        #expect(seen.withLock { $0 } == ["\(method.rawValue) \(body.count)", "GET 0", "POST 0"])
        #expect(server.accepted == 1)
    }

    @Test func `a HEAD has no body, whatever length it names`() async throws {
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") }
        }
        defer { server.stop() }
        let response = try await client.send(CurlRequest(method: .head, url: server.url))
        #expect(response.body.isEmpty)
        #expect(response.headers["Content-Length"] == "5")
    }

    @Test func `an interim answer is not the answer`() async throws {
        let server = try ScriptedServer(
            answer:
                "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nX-B: b\r\n\r\nno"
        )
        defer { server.stop() }
        let response = try await client.send(CurlRequest(url: server.url))
        #expect(response.status == 404)
        #expect(response.headers["X-A"] == nil)
        #expect(response.headers["X-B"] == "b")
        #expect(response.body == Array("no".utf8))
    }

    @Test func `a redirect is an answer like any other`() async throws {
        let server = try ScriptedServer(
            answer: "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        #expect(try await client.send(CurlRequest(url: server.url)).status == 302)
    }

    @Test(arguments: [
        CurlHeader("X-A", "1\r\nX-Evil: 1"), CurlHeader("X-A", "1\nX-Evil: 1"), CurlHeader("X-A", "1\0"),
        CurlHeader("X-A: 1\r\nX-Evil", "1"), CurlHeader("X A", "1"), CurlHeader("", "1"), CurlHeader("X-Ä", "1"),
    ])
    func `a header that would smuggle in another is refused`(header: CurlHeader) async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        let error = await #expect(throws: CurlError.self) {
            try await client.send(CurlRequest(url: server.url, headers: [header]))
        }
        #expect(error?.kind == "badRequest")
        #expect(server.accepted == 0)
        // The handle that refused is not spoiled.
        #expect(try await client.send(CurlRequest(url: server.url)).status == 200)
    }

    @Test(arguments: [
        "", "nothing", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:99999/", "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/a\r\nX-Evil: 1", "http://user:secret@127.0.0.1:1/", "http://[::1/",
    ])
    func `a URL that is none, or of another protocol, is refused`(url: String) async throws {
        let error = try #require(
            await #expect(throws: CurlError.self) { try await client.send(CurlRequest(url: url)) })
        #expect(!error.mayHaveBeenSent)
        #expect(!error.description.contains("secret"))
        switch error {
        case .badRequest: break
        case .couldNotResolve where url == "nothing": break
        default: Issue.record("\(error)")
        }
    }

    @Test func `an answer larger than allowed ends the request`() async throws {
        let server = try ScriptedServer(answer: answer(String(repeating: "x", count: 1001)))
        defer { server.stop() }
        await #expect(throws: CurlError.bodyTooLarge(endpoint: "127.0.0.1:\(server.port)", limit: 1000)) {
            try await client.send(CurlRequest(url: server.url, maximumBodySize: 1000))
        }
        #expect(try await client.send(CurlRequest(url: server.url, maximumBodySize: 1001)).body.count == 1001)
    }

    @Test func `an answer in chunks, with trailers, is put together`() async throws {
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil {
                connection.write(chunkedHead)
                for piece in ["a", "bc", "def"] { connection.writeChunk(piece) }
                connection.write("0\r\nX-Trailer: t\r\n\r\n")
            }
        }
        defer { server.stop() }
        for _ in 0..<2 {
            #expect(try await client.send(CurlRequest(url: server.url)).body == Array("abcdef".utf8))
        }
        #expect(server.accepted == 1)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", chunkedHead + "5\r\nab"])
    func `an answer that breaks off is no answer`(text: String) async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.write(text)
        }
        defer { server.stop() }
        let error = await #expect(throws: CurlError.self) {
            try await client.send(CurlRequest(url: server.url))
        }
        #expect(error?.kind == "closed")
        #expect(error?.mayHaveBeenSent == true)
    }

    @Test func `what is not HTTP is a bad answer`() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.write("SSH-2.0-OpenSSH_9.2\r\n")
        }
        defer { server.stop() }
        let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest(url: server.url)) }
        #expect(error?.kind == "badAnswer")
    }

    @Test(arguments: [
        ("http://10.0.0.1:2379/v3", "10.0.0.1:2379"), ("https://etcd.example/v3?x", "etcd.example:443"),
        ("http://[fd00::1]/", "[fd00::1]:80"), ("http://user:pw@h:1/", "h:1"),
    ])
    func `an endpoint is named without secrets`(url: String, name: String) {
        #expect(CurlRequest(url: url).endpoint == name)
    }
}
