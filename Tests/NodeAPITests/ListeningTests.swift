// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import Logging
import ServiceLifecycle
import TestKit
import Testing

@testable import NodeAPI

@Suite(.timeLimit(.minutes(1))) struct ListeningTests {
    @Test func `the endpoint answers over a real connection, on a port of its own`() async throws {
        try await Running.run(try APIScene(leases: APIScene.leases(3), listen: Self.anyPort)) { address in
            guard case .tcp(_, let port) = address else { throw NotListening() }
            #expect(port > 0)
            try await TestClient.withClient(host: "127.0.0.1", port: Int(port)) { client in
                let list = try await client.get("/v1/leases")
                #expect(list.status == .ok)
                let head = try await client.head("/v1/leases")
                #expect(head.headers[.contentLength] == list.headers[.contentLength])
                #expect(head.body == nil)
                // The connection is still good after a HEAD and an error.
                let missing = try await client.get("/nowhere")
                #expect(missing.status == .notFound)
                let again = try await client.get("/livez")
                #expect(again.status == .ok)
            }
        }
    }

    @Test func `a port in use is named`() async throws {
        try await Running.run(try APIScene(listen: Self.anyPort)) { address in
            let second = try APIScene(listen: address)
            let error = await #expect(throws: ListenError.self) { try await second.server.run() }
            #expect(error == .portInUse(address))
            #expect(error?.description.contains("\(address)") == true)
        }
    }

    @Test func `an address that is not this host's is named`() async throws {
        let address = try ListenAddress(parsing: "192.0.2.1:9470")
        let scene = try APIScene(listen: address)
        let error = await #expect(throws: ListenError.self) { try await scene.server.run() }
        guard case .cannotBind(address, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a live server's socket is not taken, and goes with its server`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/api.sock"
        try await Running.run(try APIScene(listen: .unix(path: path))) { _ in
            #expect(try TemporaryFolder.mode(of: path) == 0o660)
            let second = try APIScene(listen: .unix(path: path))
            await #expect(throws: ListenError.socketInUse(path: path)) { try await second.server.run() }
            #expect(access(path, F_OK) == 0)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func `a dead server's socket makes room`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/api.sock"
        try TemporaryFolder.leaveSocket(at: path)
        try await Running.run(try APIScene(listen: .unix(path: path))) { address in
            #expect(address == .unix(path: path))
        }
    }

    @Test func `a file that is no socket is left alone`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/precious"
        try Data("precious".utf8).write(to: URL(filePath: path))
        let scene = try APIScene(listen: .unix(path: path))
        await #expect(throws: ListenError.self) { try await scene.server.run() }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("precious".utf8))
    }

    @Test func `without an endpoint it waits for the end`() async throws {
        let scene = try APIScene(listen: .none)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: scene.server)], logger: Logger(label: "test")))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func `an open connection does not hold up the end`() async throws {
        let clock = ContinuousClock()
        var stop = clock.now
        try await Running.run(try APIScene(leases: APIScene.leases(3), listen: Self.anyPort)) { address in
            guard case .tcp(_, let port) = address else { throw NotListening() }
            let client = TestClient(host: "127.0.0.1", port: Int(port))
            client.connect()
            let response = try await client.get("/livez")
            #expect(response.status == .ok)
            // One connection idles, another is in the middle of a request whose body never comes.
            let half = TestClient(host: "127.0.0.1", port: Int(port))
            half.connect()
            try await half.executeAndDontWaitForResponse(
                TestClient.Request("/v1/leases", method: .post, headers: [.transferEncoding: "chunked"]))
            stop = clock.now
        }
        #expect(clock.now - stop < .milliseconds(1800))
    }

    @Test func `a client that does not read does not hold up the end`() async throws {
        let clock = ContinuousClock()
        var stop = clock.now
        var descriptor: Int32 = -1
        defer { close(descriptor) }
        try await Running.run(try APIScene(leases: APIScene.leases(20_000), listen: Self.anyPort)) { address in
            guard case .tcp(_, let port) = address else { throw NotListening() }
            descriptor = try RawClient.connect(port: port)
            RawClient.send("GET /v1/leases HTTP/1.1\r\nHost: localhost\r\n\r\n", to: descriptor)
            // Its first bytes are there, its last are not: the answer is larger than what the sockets hold.
            #expect(RawClient.receive(from: descriptor).hasPrefix("HTTP/1.1 200"))
            stop = clock.now
        }
        #expect(clock.now - stop < .milliseconds(1800))
    }

    static let anyPort = ListenAddress.tcp(.v4(IPv4Address(127, 0, 0, 1)), port: 0)
}

struct NotListening: Error {}

/// A server that runs while the body does, in a service group as in the daemon.
enum Running {
    static func run(_ scene: APIScene, _ body: (ListenAddress) async throws -> Void) async throws {
        try await runAll(scene) { try await body($0.first ?? .none) }
    }

    static func runAll(_ scene: APIScene, _ body: ([ListenAddress]) async throws -> Void) async throws {
        let (addresses, listening) = AsyncStream<[ListenAddress]>.makeStream()
        let service = Listening(server: scene.server, listening: listening)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: service)], logger: Logger(label: "test")))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var addresses = addresses.makeAsyncIterator()
            do {
                guard let address = await addresses.next() else { throw NotListening() }
                try await body(address)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private struct Listening: Service {
        let server: NodeAPIServer
        let listening: AsyncStream<[ListenAddress]>.Continuation

        func run() async throws {
            defer { listening.finish() }
            try await server.run { listening.yield($0) }
        }
    }
}

/// A folder of the test's own.
struct TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/tartan-api-XXXXXX\0".utf8CString.dropLast())
        guard mkdtemp(&template) != nil else { throw NotListening() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    static func mode(of path: String) throws -> mode_t {
        var information = stat()
        guard stat(path, &information) == 0 else { throw NotListening() }
        return information.st_mode & 0o777
    }

    /// A socket that nobody listens on any more.
    static func leaveSocket(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw NotListening() }
    }
}

/// A connection that does only what it is told.
enum RawClient {
    static func connect(port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw NotListening() }
        return descriptor
    }

    static func send(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, 0)
    }

    /// What comes first, a hundred bytes at most.
    static func receive(from descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
