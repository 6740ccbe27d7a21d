// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import FoundationEssentials
import Glibc
import IPAddressing
import Lab
import Leases

/// Many clients that hold an event stream, each of which must see each change.
struct EventCrowd {
    let scene: Scene
    let clients: Int

    private static let changes = 20

    /// One connection: how many events came so far.
    private struct Client {
        let descriptor: Int32
        var tail: [UInt8] = []
        var events = 0
        var hasBegun = false
    }

    func run() async throws -> String {
        raiseLimit()
        let before = residentMemory
        var crowd: [Client] = []
        defer { for client in crowd { close(client.descriptor) } }
        for number in 0..<clients {
            crowd.append(Client(descriptor: try connect()))
            // The backlog is not endless.
            if number % 100 == 99 { try await Task.sleep(for: .milliseconds(20)) }
        }
        try await read(&crowd, within: .seconds(60), "each client has its snapshot") { $0.hasBegun }
        let held = residentMemory
        let start = ContinuousClock.now
        for number in 1...Self.changes {
            _ = try await scene.client.put(Scene.keys.key(of: Scene.key(400)), Scene.value(number))
        }
        try await read(&crowd, within: .seconds(30), "each client has each change") { $0.events >= Self.changes }
        let took = ContinuousClock.now - start
        return """
            \(clients) event streams: each saw each of \(Self.changes) changes, the last \(milliseconds(took)) ms after \
            the first was written; resident memory \(before / 1024) MiB before, \(held / 1024) MiB with all of them
            """
    }

    private func milliseconds(_ time: Duration) -> Int { Int(time / .milliseconds(1)) }

    private func raiseLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 8192))
        _ = unsafe setrlimit(resource, &limit)
    }

    /// The daemon's, in KiB.
    private var residentMemory: Int {
        let text = (try? String(contentsOfFile: "/proc/\(scene.daemon.processID)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }

    private func connect() throws -> Int32 {
        let port = UInt16(scene.address.split(separator: ":").last ?? "") ?? 0
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchmarkError("can't connect to \(scene.address): errno \(errno)") }
        // Few leases at first, so that what is measured is the streams.
        let request =
            "GET /v1/leases?contains=\(Scene.key(400).subnet.address) HTTP/1.1\r\nHost: bench\r\n"
            + "Accept: text/event-stream\r\n\r\n"
        let bytes = Array(request.utf8)
        _ = unsafe send(descriptor, bytes, bytes.count, 0)
        return descriptor
    }

    /// Reads what comes until the condition holds for every client.
    private func read(
        _ crowd: inout [Client], within limit: Duration, _ what: String, until isDone: (Client) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !crowd.allSatisfy(isDone) {
            guard .now < deadline else {
                throw BenchmarkError("\(what): not so for \(crowd.count { !isDone($0) }) of \(crowd.count)")
            }
            for place in crowd.indices {
                let count = unsafe recv(crowd[place].descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count != 0 else { throw BenchmarkError("an event stream ended") }
                if count > 0 { take(buffer[..<count], &crowd[place]) }
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ client: inout Client) {
        client.tail += bytes
        while let end = client.tail.firstIndex(of: UInt8(ascii: "\n")) {
            let line = client.tail[..<end]
            if line.starts(with: "event: snapshot".utf8) { client.hasBegun = true }
            if line.starts(with: "event: updated".utf8) { client.events += 1 }
            client.tail.removeSubrange(...end)
        }
    }
}
