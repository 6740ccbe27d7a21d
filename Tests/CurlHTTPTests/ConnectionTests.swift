// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Synchronization
import Testing

@Suite struct ConnectionTests {
    private let client = CurlClient()

    @Test func `requests one after another use one connection`() async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        for _ in 0..<20 { _ = try await client.send(CurlRequest(url: server.url)) }
        #expect(server.accepted == 1)
    }

    @Test func `a request that wants a connection for itself gets one, and closes it`() async throws {
        let server = try ScriptedServer(answer: answer("x"))
        defer { server.stop() }
        _ = try await client.send(CurlRequest(url: server.url))
        _ = try await client.send(CurlRequest(url: server.url, freshConnection: true))
        #expect(server.accepted == 2)
        try await eventually("the second is closed") { server.openCount == 1 }
        _ = try await client.send(CurlRequest(url: server.url))
        #expect(server.accepted == 2)
    }

    @Test func `connections that are to be renewed end what is under way, and none of them is used again`() async throws
    {
        let asked = Counter()
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil {
                asked.add()
                // The second request of all is never answered.
                if asked.value == 2 { return connection.waitForClose() }
                connection.write(answer("x"))
            }
        }
        defer { server.stop() }
        _ = try await client.send(CurlRequest(url: server.url))
        let hanging = Task { [client] in try await client.send(CurlRequest(url: server.url, timeout: .seconds(60))) }
        try await eventually("it was asked") { asked.value == 2 }
        client.renewConnections()
        let error = await #expect(throws: CurlError.self) { _ = try await hanging.value }
        guard case .closed? = error else {
            Issue.record("\(error as Any)")
            return
        }
        let before = server.accepted
        _ = try await client.send(CurlRequest(url: server.url))
        #expect(server.accepted == before + 1)
        // curl compares ages in whole seconds; from then on new ones are kept.
        try await Task.sleep(for: .milliseconds(2_100))
        _ = try await client.send(CurlRequest(url: server.url))
        let kept = server.accepted
        _ = try await client.send(CurlRequest(url: server.url))
        #expect(server.accepted == kept)
    }

    @Test func `a stream ends with the renewal, what had come of it is read first, and the next has a new connection`()
        async throws
    {
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunkedHead)
            connection.writeChunk("first\nsecond\n")
            connection.waitForClose()
        }
        defer { server.stop() }
        // As a watch does it: a connection for itself, and no limit of time once the head is there.
        let request = CurlRequest(url: server.url, silenceNotice: .seconds(30), freshConnection: true)
        var lines = try await client.stream(request).lines.makeAsyncIterator()
        #expect(try await lines.next(isolation: nil) == Array("first".utf8))
        // Somebody is reading when it happens.
        let reading = Task { [client] () throws -> Int in
            var count = 0
            for try await _ in try await client.stream(request).lines { count += 1 }
            return count
        }
        try await eventually("both are open") { server.accepted == 2 }
        try await Task.sleep(for: .milliseconds(50))
        client.renewConnections()
        await #expect(throws: CurlError.self) { try await reading.value }
        #expect(try await lines.next(isolation: nil) == Array("second".utf8))
        let error = await #expect(throws: CurlError.self) { _ = try await lines.next(isolation: nil) }
        guard case .closed? = error else {
            Issue.record("\(error as Any)")
            return
        }
        try await eventually("both are closed") { server.openCount == 0 }
        var next = try await client.stream(request).lines.makeAsyncIterator()
        #expect(try await next.next(isolation: nil) == Array("first".utf8))
        #expect(server.accepted == 3)
    }

    /// Answers the first request of a connection and closes it when the second comes.
    private func forgetfulServer(_ requests: Counter) throws -> ScriptedServer {
        try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(answer("x"))
            if connection.number == 0, connection.readRequest() != nil { requests.add() }
            if connection.number > 0 { connection.waitForClose() }
        }
    }

    @Test func `a repeatable request outlives a kept connection that the server closes`() async throws {
        let swallowed = Counter()
        let server = try forgetfulServer(swallowed)
        defer { server.stop() }
        _ = try await client.send(CurlRequest(method: .post, url: server.url, body: [1]))
        #expect(try await client.send(CurlRequest(method: .post, url: server.url, body: [1])).status == 200)
        #expect(swallowed.value == 1)
        #expect(server.accepted == 2)
    }

    @Test func `a request that may not be repeated is not`() async throws {
        let swallowed = Counter()
        let server = try forgetfulServer(swallowed)
        defer { server.stop() }
        _ = try await client.send(CurlRequest(method: .post, url: server.url, body: [1]))
        let error = await #expect(throws: CurlError.self) {
            try await client.send(CurlRequest(method: .post, url: server.url, body: [1], repeatable: false))
        }
        #expect(
            error == .closed(endpoint: "127.0.0.1:\(server.port)", reason: "the server closed it before it answered"))
        #expect(error?.mayHaveBeenSent == true)
        // A second connection may have been made; the request was not written to it.
        #expect(swallowed.value == 1)
        #expect(try await client.send(CurlRequest(method: .post, url: server.url, repeatable: false)).status == 200)
    }

    @Test func `a connection closed while it was idle costs nothing, not even a request that may not be repeated`()
        async throws
    {
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(answer("x"))
        }
        defer { server.stop() }
        for _ in 0..<5 {
            #expect(try await client.send(CurlRequest(url: server.url, repeatable: false)).status == 200)
            try await eventually("the server has closed") { server.openCount == 0 }
            // The word of it is on the loopback interface at once.
        }
        #expect(server.accepted == 5)
    }

    @Test func `a Unix socket is spoken to like a port`() async throws {
        let path = "\(NSTemporaryDirectory())/tartan-\(UInt64.random(in: 0 ... .max)).sock"
        let server = try ScriptedServer(path: path) { connection in
            while connection.readRequest() != nil { connection.write(answer("over unix")) }
        }
        defer {
            server.stop()
            unlink(path)
        }
        let request = CurlRequest(url: "http://tartan/v1/node", unixSocketPath: path)
        #expect(try await client.send(request).body == Array("over unix".utf8))
        #expect(try await client.send(request).body == Array("over unix".utf8))
        #expect(server.accepted == 1)
        let error = await #expect(throws: CurlError.self) {
            try await client.send(CurlRequest(url: "http://tartan/", unixSocketPath: path + "x"))
        }
        #expect(error?.description.contains(path + "x") == true)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test func `500 requests at once are all answered`() async throws {
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                connection.write(answer(String(decoding: request.body, as: UTF8.self)))
            }
        }
        defer { server.stop() }
        let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for number in 0..<500 {
                group.addTask { [client] in
                    try await client.send(
                        CurlRequest(
                            method: .post, url: server.url, body: Array("\(number)".utf8), connectTimeout: .seconds(30),
                            timeout: .seconds(30))
                    ).body
                }
            }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(answers.count == 500)
        // Of those connections only a few are kept.
        _ = try await client.send(CurlRequest(url: server.url))
        try await eventually("idle connections are closed") { server.openCount <= 16 }
    }

    @Test func `a client leaves neither descriptors nor threads, and asks no proxy`() async {
        await #expect(processExitsWith: .success) {
            // Other descriptors than sockets are the runtime's, which makes its timers when it first needs them.
            func sockets() -> Int {
                let files = FileManager.default
                let names = (try? files.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
                return names.count { name in
                    let link = try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                    return link?.hasPrefix("socket:") == true
                }
            }
            setenv("http_proxy", "http://127.0.0.1:1", 1)
            setenv("ALL_PROXY", "http://127.0.0.1:1", 1)
            func round() async throws {
                let server = try ScriptedServer { connection in
                    while connection.readRequest() != nil {
                        connection.write(chunkedHead)
                        connection.writeChunk("line\n")
                        if connection.number % 2 == 0 {
                            connection.write("0\r\n\r\n")
                        } else {
                            connection.waitForClose()
                        }
                    }
                }
                let client = CurlClient()
                for _ in 0..<20 {
                    var lines = try await client.stream(CurlRequest(url: server.url)).lines.makeAsyncIterator()
                    let line = try await lines.next(isolation: nil)
                    guard line == Array("line".utf8) else { exit(3) }
                    _ = try? await client.send(CurlRequest(url: "http://127.0.0.1:1/"))
                }
                await client.shutdown()
                try await eventually("the server has no connection left") { server.openCount == 0 }
                server.stop()
            }
            let before = sockets()
            for _ in 0..<3 { try await round() }
            try await eventually("no more sockets than before") { sockets() == before }
            try await eventually("the loops' threads are gone") {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.count ?? 0 < 20
            }
        }
    }
}
