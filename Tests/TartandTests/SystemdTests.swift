// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing

@testable import tartand

@Suite struct SystemdTests {
    @Test func `half of what the manager allows, and only if it is meant for this process`() {
        func interval(_ environment: [String: String]) -> Duration? {
            SystemdNotifier(
                environment: environment.merging(["NOTIFY_SOCKET": "/run/x"]) { $1 }, process: 7
            ).watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
        for text in ["", "0", "-2", "soon"] { #expect(interval(["WATCHDOG_USEC": text]) == nil) }
        #expect(interval([:]) == nil)
        #expect(SystemdNotifier(environment: ["WATCHDOG_USEC": "30000000"]).watchdogInterval == nil)
    }

    @Test func `the daemon gives signs of life while it waits for etcd, and says that it stops`() async throws {
        let manager = try await manage { ["--subnet-file", "\($0)/subnet.env", "--api-listen", "none"] }
        #expect(manager.count("STOPPING=1") == 1)
        #expect(manager.count("READY=1") == 0, "nothing is leased")
    }

    @Test func `an authority gives signs of life as well`() async throws {
        _ = try await manage { ["--subnet-file", "none", "--api-listen", "unix:\($0)/api.sock"] }
    }

    /// Has a daemon that finds no etcd give signs of life, and stops it; returns what it was heard to say.
    private func manage(_ options: (_ folder: String) -> [String]) async throws -> Manager {
        let folder = try TemporaryFolder()
        let manager = try Manager(at: "\(folder.path)/notify")
        let (_, outcome) = try await BuiltDaemon.run(
            [
                "--dataplane", "none", "--public-ip", "192.0.2.1", "--node-name", "n1", "--state-dir", folder.path,
                "--etcd-endpoints", "http://127.0.0.1:1",
            ] + options(folder.path), environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"]
        ) {
            _ = try await eventually("signs of life") { manager.count("WATCHDOG=1") > 3 ? true : nil }
        }
        #expect(outcome.status == 0, "\(outcome)")
        return manager
    }

    /// The socket of a service manager (sd_notify(3)).
    private final class Manager: Sendable {
        let path: String
        private let socket: Int32
        private let messages = Mutex<[String]>([])

        init(at path: String) throws {
            self.path = path
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
        }

        deinit { close(socket) }

        /// How many messages of that text have come so far.
        func count(_ text: String) -> Int {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let length = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard length > 0 else { break }
                messages.withLock { $0.append(String(decoding: buffer[..<length], as: UTF8.self)) }
            }
            return messages.withLock { $0 }.count { $0.split(separator: "\n").contains { $0 == text } }
        }
    }
}
