// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPAddressing
import Lab
import SystemPackage

/// What a script would do: `bridge -batch` for the forwarding entries, then `ip -batch` for the rest. It does not
/// know what is there, so its restart says everything again.
struct CommandBatch: Contender {
    static let name = "ip -batch"

    private let arena: Arena
    private let peers: Int
    private let folder: TemporaryDirectory

    init(peers: Int, in arena: Arena) throws { try self.init(numbers: 1...peers, in: arena) }

    init(numbers: ClosedRange<Int>, in arena: Arena) throws {
        self.arena = arena
        peers = numbers.count
        folder = try TemporaryDirectory("bench")
        let device = Arena.deviceName
        try write("add-bridge", numbers) { "fdb replace \($0.mac) dev \(device) dst \($0.publicIP) self permanent\n" }
        try write("add-ip", numbers) { peer in
            """
            neigh replace \(peer.gateway) lladdr \(peer.mac) dev \(device) nud permanent
            nexthop replace id \(peer.gateway.bits) via \(peer.gateway) dev \(device) onlink protocol 116
            route replace \(peer.gateway)/24 nhid \(peer.gateway.bits) protocol 116

            """
        }
        try write("remove-ip", numbers) { peer in
            """
            route del \(peer.gateway)/24 protocol 116
            nexthop del id \(peer.gateway.bits)
            neigh del \(peer.gateway) dev \(device)

            """
        }
        try write("remove-bridge", numbers) { "fdb del \($0.mac) dev \(device) self\n" }
    }

    func start() throws -> Duration { try run([("bridge", "add-bridge"), ("ip", "add-ip")]) }

    /// The kernel looks through all next hops of the device for each that is replaced: 19 s for 30,000.
    func restart() throws -> Duration? { peers > 10_000 ? nil : try start() }

    func removeAll() throws -> Duration {
        defer { folder.remove() }
        return try run([("ip", "remove-ip"), ("bridge", "remove-bridge")])
    }

    private func run(_ programs: [(program: String, file: String)]) throws -> Duration {
        try arena.time { [folder] in
            for (program, file) in programs {
                let status = Self.spawn([program, "-batch", "\(folder.path)/\(file)"])
                guard status == 0 else { return status }
            }
            return 0
        }
    }

    /// Runs a program in the calling thread's namespace; 0, or an error number.
    private static func spawn(_ command: [String]) -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let result = unsafe posix_spawnp(&process, command[0], nil, nil, &arguments, environ)
        guard result == 0 else { return result }
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, 0) == process else { return errno }
        return status == 0 ? 0 : EINVAL
    }

    private func write(_ name: String, _ numbers: ClosedRange<Int>, _ lines: (BenchmarkPeer) -> String) throws {
        var text: [UInt8] = []
        for number in numbers { text += lines(BenchmarkPeer(number)).utf8 }
        let file = try FileDescriptor.open(
            FilePath("\(folder.path)/\(name)"), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(text) }
    }
}
