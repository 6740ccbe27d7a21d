// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Glibc
import Testing

@Suite struct TimeLimitTests {
    private let client = CurlClient()

    @Test func `a host that does not take the connection is late within the connect limit`() async throws {
        // A listener whose queue is full answers no SYN.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        let port = try ScriptedServer.bindToFreePort(listener)
        try #require(listen(listener, 0) == 0)
        let url = "http://127.0.0.1:\(port)"
        let fillers = (0..<3).map { _ in
            Task { [client] in try? await client.send(CurlRequest(url: url, connectTimeout: .seconds(20), timeout: nil))
            }
        }
        defer { for filler in fillers { filler.cancel() } }
        var error: CurlError?
        for _ in 0..<20 {
            error = await #expect(throws: CurlError.self) {
                try await client.send(
                    CurlRequest(url: url, connectTimeout: .milliseconds(200), timeout: .milliseconds(300)))
            }
            if case .timedOut(_, .connecting, _)? = error { break }
        }
        #expect(
            error == .timedOut(endpoint: "127.0.0.1:\(port)", phase: .connecting, after: .milliseconds(200)))
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test func `a port where nobody listens refuses, in the kernel's words`() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = try ScriptedServer.bindToFreePort(listener)
        close(listener)
        await #expect(throws: CurlError.couldNotConnect(endpoint: "127.0.0.1:\(port)", reason: "Connection refused")) {
            try await client.send(CurlRequest(url: "http://127.0.0.1:\(port)/"))
        }
    }

    @Test func `a name that does not exist can't be resolved`() async {
        let error = await #expect(throws: CurlError.self) {
            try await client.send(
                CurlRequest(url: "http://nothing.invalid:1/", connectTimeout: .seconds(20), timeout: .seconds(20)))
        }
        guard case .couldNotResolve(let endpoint, _)? = error else { return fail("\(error as Any)") }
        #expect(endpoint == "nothing.invalid:1")
    }

    /// Takes the request, says a part of the answer, and nothing more.
    private func silentServer(_ part: String) throws -> ScriptedServer {
        try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(part)
            connection.waitForClose()
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"])
    func `an answer that does not come is late, and its connection closed`(part: String) async throws {
        let server = try silentServer(part)
        defer { server.stop() }
        let error = await #expect(throws: CurlError.self) {
            try await client.send(CurlRequest(url: server.url, timeout: .milliseconds(100)))
        }
        #expect(
            error == .timedOut(endpoint: "127.0.0.1:\(server.port)", phase: .answering, after: .milliseconds(100)))
        #expect(error?.mayHaveBeenSent == true)
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\n"])
    func `a stream's head that does not come is late, and its connection closed`(part: String) async throws {
        let server = try silentServer(part)
        defer { server.stop() }
        await #expect(
            throws: CurlError.timedOut(
                endpoint: "127.0.0.1:\(server.port)", phase: .answering, after: .milliseconds(100))
        ) {
            try await client.stream(CurlRequest(url: server.url, timeout: .milliseconds(100)))
        }
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `a stream whose head is there may be silent for longer than the limit for the head`() async throws {
        let mayGoOn = Signal()
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunkedHead)
            mayGoOn.wait()
            connection.writeChunk("late\n")
            connection.waitForClose()
        }
        defer { server.stop() }
        let stream = try await client.stream(
            CurlRequest(url: server.url, timeout: .milliseconds(50), silenceNotice: .milliseconds(60)))
        var lines = stream.lines.makeAsyncIterator()
        for _ in 0..<3 { #expect(try await lines.nextOrSilence() == .silence) }
        mayGoOn.raise()
        while true {
            let item = try await lines.nextOrSilence()
            guard item == .silence else {
                #expect(item == .line(Array("late".utf8)))
                break
            }
        }
    }

    @Test func `a stream that is idle for too long is broken`() async throws {
        let server = try silentServer(chunkedHead + "6\r\nfirst\n\r\n")
        defer { server.stop() }
        var lines = try await client.stream(CurlRequest(url: server.url, idleLimit: .milliseconds(80))).lines
            .makeAsyncIterator()
        #expect(try await lines.next(isolation: nil) == Array("first".utf8))
        await #expect(throws: CurlError.idle(endpoint: "127.0.0.1:\(server.port)", after: .milliseconds(80))) {
            try await lines.next(isolation: nil)
        }
        try await eventually("the connection is closed") { server.openCount == 0 }
    }
}
