// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Glibc
import Synchronization
import Testing

/// A server whose every byte is the test's: it accepts connections, and a script speaks over each, on a thread.
final class ScriptedServer: Sendable {
    private struct State {
        var accepted = 0
        var open: [Int32: Int] = [:]
        var isStopping = false
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    var url: String { "http://127.0.0.1:\(port)" }
    /// How many connections there have been.
    var accepted: Int { state.withLock { $0.accepted } }
    /// How many there are.
    var openCount: Int { state.withLock { $0.open.count } }

    /// - Parameters:
    ///   - path: a Unix socket to listen at, instead of a free port of the loopback interface.
    ///   - script: returns when the connection is to be closed.
    init(path: String? = nil, script: @escaping @Sendable (ScriptedConnection) -> Void) throws {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let listener = socket(path == nil ? AF_INET : AF_UNIX, kind, 0)
        self.listener = listener
        if let path {
            port = 0
            try Self.bind(listener, path: path)
        } else {
            port = try Self.bindToFreePort(listener)
        }
        try #require(listen(listener, 1024) == 0)
        Self.thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                let number = state.withLock { state -> Int? in
                    guard !state.isStopping else { return nil }
                    state.open[connection] = state.accepted
                    state.accepted += 1
                    return state.accepted - 1
                }
                guard let number else {
                    close(connection)
                    return
                }
                Self.thread { [self] in
                    script(ScriptedConnection(descriptor: connection, number: number))
                    state.withLock { $0.open[connection] = nil }
                    close(connection)
                }
            }
        }
    }

    /// A server that gives every request the same answer, for as long as the client wants.
    convenience init(answer: String) throws {
        try self.init { connection in while connection.readRequest() != nil { connection.write(answer) } }
    }

    func stop() {
        state.withLock { state in
            state.isStopping = true
            for connection in state.open.keys { shutdown(connection, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    static func thread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, context)
        pthread_detach(thread)
    }

    static func bindToFreePort(_ listener: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try #require(Glibc.bind(listener, address, length) == 0)
                try #require(getsockname(listener, address, &length) == 0)
            }
            return UInt16(bigEndian: $0.pointee.sin_port)
        }
    }

    private static func bind(_ listener: Int32, path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        try withUnsafePointer(to: address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try #require(Glibc.bind(listener, $0, length) == 0)
            }
        }
    }
}

/// The server's end of one connection. Calls block; what the client closed is the end of everything.
struct ScriptedConnection: Sendable {
    let descriptor: Int32
    /// 0 for the server's first connection.
    let number: Int

    struct Request {
        let head: String
        let body: [UInt8]
    }

    /// The next request, or `nil` where the client closed.
    func readRequest() -> Request? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(1).first else { return nil }
            bytes.append(byte)
        }
        let head = String(decoding: bytes, as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let count = length.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        var body: [UInt8] = []
        while body.count < count {
            let more = read(count - body.count)
            if more.isEmpty { return nil }
            body += more
        }
        return Request(head: head, body: body)
    }

    /// Up to so many bytes; none where the client closed.
    func read(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = Glibc.read(descriptor, &bytes, count)
        return got > 0 ? Array(bytes[..<got]) : []
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// `false` where the client closed.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func writeChunk(_ text: String) { write(String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n") }

    /// Blocks until the client closes.
    func waitForClose() { while !read(4096).isEmpty {} }
}

/// The head of an answer that has no length and goes on until its last chunk.
let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

func answer(_ body: String, _ headers: String = "") -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
}

/// Waits until a condition holds, and fails where it does not in time.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard .now < deadline else {
            Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// An event that a script waits for and a test reports, or the other way round.
final class Signal: Sendable {
    private let isRaised = Atomic<Bool>(false)

    func raise() { isRaised.store(true, ordering: .releasing) }
    var isUp: Bool { isRaised.load(ordering: .acquiring) }
    /// For a script's thread.
    func wait() { while !isUp { usleep(1000) } }
}

/// A count that scripts add to.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// Records a failure where a `guard` leaves a test.
func fail(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    Issue.record(comment, sourceLocation: sourceLocation)
}

extension CurlError {
    /// The case's name, where its values don't matter.
    var kind: String { String(describing: Mirror(reflecting: self).children.first?.label ?? "\(self)") }
}
