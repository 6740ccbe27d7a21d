// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Testing

@Suite struct CancellationTests {
    private let client = CurlClient()

    /// Takes requests and does not answer; for a stream the head and one line come.
    private func hangingServer(_ taken: Signal, part: String = "") throws -> ScriptedServer {
        try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(part)
            taken.raise()
            connection.waitForClose()
        }
    }

    private let opening = chunkedHead + "6\r\nfirst\n\r\n"

    @Test func `cancelling a request closes its connection`() async throws {
        let taken = Signal()
        let server = try hangingServer(taken)
        defer { server.stop() }
        let task = Task { [client] in try await client.send(CurlRequest(url: server.url, timeout: nil)) }
        try await eventually("the server has the request") { taken.isUp }
        task.cancel()
        await #expect(throws: CurlError.cancelled) { try await task.value }
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `a request of a cancelled task is not sent`() async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        let task = Task { [client] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(CurlRequest(url: server.url))
        }
        await #expect(throws: CurlError.cancelled) { try await task.value }
        #expect(server.accepted == 0)
    }

    @Test func `cancelling a stream that waits for its head closes the connection`() async throws {
        let taken = Signal()
        let server = try hangingServer(taken)
        defer { server.stop() }
        let task = Task { [client] in try await client.stream(CurlRequest(url: server.url, timeout: nil)).status }
        try await eventually("the server has the request") { taken.isUp }
        task.cancel()
        await #expect(throws: CurlError.cancelled) { try await task.value }
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `cancelling whoever waits for a line closes the connection`() async throws {
        let taken = Signal()
        let waits = Signal()
        let server = try hangingServer(taken, part: opening)
        defer { server.stop() }
        let task = Task { [client] in
            var lines = try await client.stream(CurlRequest(url: server.url)).lines.makeAsyncIterator()
            _ = try await lines.next(isolation: nil)
            waits.raise()
            _ = try await lines.next(isolation: nil)
        }
        try await eventually("the consumer waits") { waits.isUp }
        task.cancel()
        await #expect(throws: CurlError.cancelled) { try await task.value }
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `letting go of a stream closes the connection`() async throws {
        let server = try hangingServer(Signal(), part: opening)
        defer { server.stop() }
        var stream: CurlStream? = try await client.stream(CurlRequest(url: server.url))
        #expect(stream?.status == 200)
        #expect(server.openCount == 1)
        stream = nil
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `a stream that was cancelled by hand says so, and what was there is gone`() async throws {
        let server = try hangingServer(Signal(), part: opening)
        defer { server.stop() }
        let lines = try await client.stream(CurlRequest(url: server.url)).lines
        lines.cancel()
        try await eventually("the connection is closed") { server.openCount == 0 }
        var iterator = lines.makeAsyncIterator()
        await #expect(throws: CurlError.cancelled) { try await iterator.next(isolation: nil) }
        await #expect(throws: CurlError.cancelled) { try await iterator.nextOrSilence() }
    }

    @Test func `1000 requests cancelled at any moment end, each once`() async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask { [client] in
                    let task = Task { try await client.send(CurlRequest(url: server.url)).status }
                    for _ in 0..<number % 50 { await Task.yield() }
                    task.cancel()
                    switch await task.result {
                    case .success(let status): #expect(status == 200)
                    case .failure(let error): #expect(error as? CurlError == .cancelled)
                    }
                }
            }
        }
        #expect(try await client.send(CurlRequest(url: server.url)).status == 200)
    }

    @Test func `a shutdown ends what is under way and lets nothing begin`() async throws {
        let taken = Signal()
        let server = try hangingServer(taken, part: opening)
        defer { server.stop() }
        let client = CurlClient()
        let lines = try await client.stream(CurlRequest(url: server.url)).lines
        let request = Task { try await client.send(CurlRequest(url: server.url, timeout: nil)) }
        let reader = Task {
            var lines = lines.makeAsyncIterator()
            _ = try await lines.next(isolation: nil)
            return try await lines.next(isolation: nil)
        }
        try await eventually("both are under way") { server.accepted == 2 }
        await client.shutdown()
        await #expect(throws: CurlError.shutDown) { try await request.value }
        await #expect(throws: CurlError.shutDown) { try await reader.value }
        await #expect(throws: CurlError.shutDown) { try await client.send(CurlRequest(url: server.url)) }
        await #expect(throws: CurlError.shutDown) { try await client.stream(CurlRequest(url: server.url)) }
        try await eventually("the connections are closed") { server.openCount == 0 }
        await client.shutdown()
    }

    @Test func `a client that is let go of closes its connections`() async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        _ = try await CurlClient().send(CurlRequest(url: server.url))
        try await eventually("the connection is closed") { server.openCount == 0 }
    }
}
