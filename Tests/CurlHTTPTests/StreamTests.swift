// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Glibc
import Testing

@Suite struct StreamTests {
    private let client = CurlClient()

    private func lines(_ url: String) async throws -> [String] {
        var result: [String] = []
        for try await line in try await client.stream(CurlRequest(url: url)).lines {
            result.append(String(decoding: line, as: UTF8.self))
        }
        return result
    }

    @Test func `lines are the same wherever the answer is cut`() async throws {
        let text = "one\n\ntwo\r\nthree"
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                let cut = Int(request.head.split(separator: " ")[1].dropFirst()) ?? 0
                connection.write(chunkedHead)
                // A pause between the two, so that they arrive apart.
                if cut > 0 { connection.writeChunk(String(text.prefix(cut))) }
                usleep(2000)
                if cut < text.count { connection.writeChunk(String(text.dropFirst(cut))) }
                connection.write("0\r\n\r\n")
            }
        }
        defer { server.stop() }
        for cut in 0...text.count {
            #expect(try await lines("\(server.url)/\(cut)") == ["one", "", "two\r", "three"], "cut at \(cut)")
        }
        #expect(server.accepted == 1, "a stream read to its end leaves its connection to the next")
    }

    @Test func `the head is there before any line`() async throws {
        let mayGoOn = Signal()
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 206 Partial\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n")
            mayGoOn.wait()
            connection.write("0\r\n\r\n")
        }
        defer { server.stop() }
        let stream = try await client.stream(CurlRequest(url: server.url))
        #expect(stream.status == 206)
        #expect(stream.headers["x-a"] == "b")
        mayGoOn.raise()
        var lines = stream.lines.makeAsyncIterator()
        #expect(try await lines.next(isolation: nil) == nil)
        #expect(try await lines.nextOrSilence() == .end)
    }

    @Test func `a line of many megabytes arrives whole, and one too long breaks the stream`() async throws {
        let length = 9 << 20
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil {
                connection.write(chunkedHead)
                connection.writeChunk("short\n")
                connection.writeChunk(String(repeating: "x", count: length))
                connection.write("0\r\n\r\n")
            }
        }
        defer { server.stop() }
        let read = try await lines(server.url)
        #expect(read.map(\.utf8.count) == [5, length])

        let strict = CurlClient(configuration: CurlConfiguration(maximumLineLength: length - 1))
        var iterator = try await strict.stream(CurlRequest(url: server.url)).lines.makeAsyncIterator()
        #expect(try await iterator.next(isolation: nil) == Array("short".utf8))
        await #expect(throws: CurlError.lineTooLong(endpoint: "127.0.0.1:\(server.port)", limit: length - 1)) {
            try await iterator.next(isolation: nil)
        }
    }

    @Test(arguments: [
        chunkedHead + "4\r\none\n\r\n5\r\nha", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\nhalf",
    ])
    func `a stream that breaks delivers its whole lines, then the fault`(text: String) async throws {
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(text)
        }
        defer { server.stop() }
        var lines = try await client.stream(CurlRequest(url: server.url)).lines.makeAsyncIterator()
        #expect(try await lines.next(isolation: nil) == Array("one".utf8))
        for _ in 0..<2 {
            let error = await #expect(throws: CurlError.self) { try await lines.next(isolation: nil) }
            #expect(error?.kind == "closed")
        }
    }

    @Test func `a slow consumer holds the server up, and gets every line in the end`() async throws {
        let sent = Counter()
        let block = String(repeating: String(repeating: "x", count: 999) + "\n", count: 64)
        let blocks = 1000
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunkedHead)
            for _ in 0..<blocks {
                connection.writeChunk(block)
                sent.add(block.utf8.count)
            }
            connection.write("0\r\n\r\n")
        }
        defer { server.stop() }
        let client = CurlClient(configuration: CurlConfiguration(streamBuffer: 1 << 20))
        let stream = try await client.stream(CurlRequest(url: server.url, idleLimit: .milliseconds(300)))
        // Nobody reads: what is sent stops growing at the buffers' sizes, those of the kernel included.
        var last = -1
        try await eventually("the server is held up") {
            try await Task.sleep(for: .milliseconds(100))
            defer { last = sent.value }
            return last == sent.value
        }
        #expect(last < 16 << 20, "\(last) bytes were taken although nobody reads")
        // Being held up does not count as being idle, which would have ended the stream by now.
        var count = 0
        for try await line in stream.lines {
            if line.count != 999 { Issue.record("a line of \(line.count) bytes") }
            count += 1
        }
        #expect(count == 64 * blocks)
    }

    @Test func `a stream that is held up can be left`() async throws {
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunkedHead)
            while connection.write("400\r\n" + String(repeating: "x\n", count: 512) + "\r\n") {}
        }
        defer { server.stop() }
        let client = CurlClient(configuration: CurlConfiguration(streamBuffer: 1 << 12))
        var stream: CurlStream? = try await client.stream(CurlRequest(url: server.url))
        var lines = stream?.lines.makeAsyncIterator()
        #expect(try await lines?.next(isolation: nil) == Array("x".utf8))
        lines = nil
        stream = nil
        try await eventually("the connection is closed") { server.openCount == 0 }
    }

    @Test func `requests go on beside a stream that is held up`() async throws {
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                guard request.head.contains("/stream") else {
                    connection.write(answer("x"))
                    continue
                }
                connection.write(chunkedHead)
                while connection.write("400\r\n" + String(repeating: "x\n", count: 512) + "\r\n") {}
            }
        }
        defer { server.stop() }
        let client = CurlClient(configuration: CurlConfiguration(streamBuffer: 1 << 12))
        let stream = try await client.stream(CurlRequest(url: server.url + "/stream"))
        for _ in 0..<20 { _ = try await client.send(CurlRequest(url: server.url)) }
        #expect(stream.status == 200)
    }
}
