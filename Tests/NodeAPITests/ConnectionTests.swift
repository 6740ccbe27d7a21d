// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import NodeAPI

/// What clients do that they should not, over real connections.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    private static let quick: ConnectionLimits = {
        var limits = ConnectionLimits()
        limits.head = .milliseconds(150)
        limits.body = .milliseconds(150)
        limits.stall = .milliseconds(300)
        limits.farewell = .milliseconds(50)
        limits.tick = .milliseconds(20)
        return limits
    }()

    private func with(
        leases: Int = 3, _ limits: ConnectionLimits = ConnectionLimits(),
        _ body: (APIScene, ListenAddress) async throws -> Void
    ) async throws {
        let scene = try APIScene(
            leases: APIScene.leases(leases), listen: ListeningTests.anyPort, limits: limits)
        try await Running.run(scene) { try await body(scene, $0) }
    }

    @Test(arguments: [
        ("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400), ("GET /\u{1} HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431),
        ("GET /\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n", 431),
    ])
    func `what is no request is told so, and ends the connection`(bytes: String, status: Int) async throws {
        try await with(Self.quick) { _, address in
            let connection = try RawConnection(address)
            let answer = try await connection.ask(bytes)
            #expect(answer.status == status)
            #expect(answer.isProblem && answer.headers["connection"] == "close", "\(answer)")
            try await connection.closed()
        }
    }

    @Test(arguments: ["GET /v1/leases HTTP/1.1\r\nHo", "POST /v1/node HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"])
    func `who takes too long to ask is cut off`(bytes: String) async throws {
        try await with(Self.quick) { _, address in
            let connection = try RawConnection(address)
            connection.send(bytes)
            // The second is answered before its body has come; then it has to come all the same.
            let answer = try await connection.answer()
            #expect(answer.status == (bytes.hasPrefix("GET") ? 408 : 405))
            #expect(answer.isProblem)
            try await connection.closed()
        }
    }

    @Test func `a byte now and then does not keep a connection`() async throws {
        try await with(Self.quick) { _, address in
            let connection = try RawConnection(address)
            connection.send("GET / HTTP/1.1\r\n")
            let deadline = ContinuousClock.now + .seconds(10)
            var answer: RawAnswer?
            while answer == nil, !connection.isClosed, .now < deadline {
                connection.send("A: b\r\n")
                try await Task.sleep(for: .milliseconds(20))
                answer = connection.poll()
            }
            #expect(answer?.status == 408)
            try await connection.closed()
        }
    }

    @Test func `of what an event stream sends no copy is kept`() async throws {
        try await with { scene, address in
            let stream = try RawConnection(address)
            let head = try await stream.ask(
                "GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", hasBody: false)
            #expect(head.status == 200)
            let channels = scene.server.connections.channels
            #expect(channels.count == 1)
            for channel in channels {
                let isRecording = try await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.handler(type: WireHandler.self).isRecording
                }.get()
                #expect(!isRecording)
            }
        }
    }

    @Test func `a connection without requests ends after a while, one with an event stream does not`() async throws {
        var limits = Self.quick
        limits.idle = .milliseconds(200)
        try await with(limits) { scene, address in
            let stream = try RawConnection(address)
            #expect(
                try await stream.ask("GET /v1/leases HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n").status == 200)
            let idle = try RawConnection(address)
            #expect(try await idle.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200)
            try await idle.closed()
            #expect(scene.server.broadcast.clientCount == 1)
            #expect(!stream.isClosed)
        }
    }

    @Test func `a body that is too large is cut off, whichever way it comes`() async throws {
        try await with(Self.quick) { _, address in
            let known = try RawConnection(address)
            let answer = try await known.ask("POST /v1/node HTTP/1.1\r\nContent-Length: 70000\r\n\r\n")
            #expect(answer.status == 413)
            #expect(answer.isProblem)
            let chunked = try RawConnection(address)
            chunked.send("POST /v1/node HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<70 { chunked.send("400\r\n\(String(repeating: "a", count: 1024))\r\n") }
            try await chunked.closed()
        }
    }

    @Test func `a body that can't be read is told so, and only once`() async throws {
        try await with(Self.quick) { _, address in
            let connection = try RawConnection(address)
            let answer = try await connection.ask(
                "POST /v1/node HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
            #expect((answer.status == 400 || answer.status == 405) && answer.isProblem)
            try await connection.closed()
            #expect(!String(decoding: connection.received, as: UTF8.self).contains("HTTP/1.1"))
        }
    }

    @Test func `more connections than there may be are told so`() async throws {
        var limits = Self.quick
        limits.connections = 2
        try await with(limits) { scene, address in
            let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let first = try RawConnection(address)
            let second = try RawConnection(address)
            #expect(try await first.ask(request).status == 200)
            #expect(try await second.ask(request).status == 200)
            let third = try RawConnection(address)
            let answer = try await third.ask(request)
            #expect(answer.status == 503)
            #expect(answer.isProblem && answer.headers["retry-after"] != nil)
            try await third.closed()
            try await eventually { scene.server.connections.count == 2 }
            #expect(try await first.ask(request).status == 200)
        }
    }

    @Test func `a listener that is full leaves the others open`() async throws {
        var limits = Self.quick
        limits.connections = 1
        let scene = try APIScene(
            leases: APIScene.leases(3),
            listeners: [APIListener(ListeningTests.anyPort), APIListener(ListeningTests.anyPort, isReadOnly: true)],
            limits: limits)
        try await Running.runAll(scene) { addresses in
            let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try #require(addresses.count == 2)
            let filling = try RawConnection(addresses[1])
            #expect(try await filling.ask(request).status == 200)
            #expect(try await RawConnection(addresses[1]).ask(request).status == 503)
            let other = try RawConnection(addresses[0])
            #expect(try await other.ask(request).status == 200)
        }
    }

    @Test func `an event stream that is not read is cut off, and holds up no other`() async throws {
        try await with(leases: 20_000, Self.quick) { scene, address in
            let slow = try RawConnection(address)
            slow.send("GET /v1/leases HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n")
            try await eventually { scene.server.broadcast.clientCount == 1 }
            let other = try RawConnection(address)
            #expect(try await other.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200)
            try await eventually { scene.server.broadcast.clientCount == 0 }
            #expect(try await other.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200)
        }
    }

    @Test func `every route has HEAD and OPTIONS, and says what else it has`() async throws {
        try await with { scene, address in
            let connection = try RawConnection(address)
            for path in Set(scene.server.routes.map(\.path)) {
                let path = path.replacing("{subnet}", with: "10.244.1.0-24")
                let options = try await connection.ask("OPTIONS \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(options.status == 204)
                let allow = try #require(options.headers["allow"])
                #expect(allow.contains("OPTIONS"), "\(path)")
                if allow.contains("GET") {
                    let head = try await connection.ask(
                        "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", hasBody: false)
                    #expect(head.status < 500 || path == "/readyz", "\(path)")
                    #expect(allow.contains("HEAD"))
                }
                let other = try await connection.ask("PATCH \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(other.status == 405 && other.isProblem && other.headers["allow"] == allow, "\(path)")
            }
            let unknown = try await connection.ask("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(unknown.status == 404 && unknown.isProblem)
        }
    }
}
