// SPDX-License-Identifier: Apache-2.0

import BenchmarkKit

/// One way to tell the kernel of many peers.
protocol Contender {
    static var name: String { get }

    init(peers: Int, in arena: Arena) async throws

    /// Four entries a peer, into a kernel that has none; returns what it took.
    mutating func start() async throws -> Duration
    /// Again, where all of them are there; `nil`: that would take too long.
    mutating func restart() async throws -> Duration?
    mutating func removeAll() async throws -> Duration
}

/// What a contender took, in seconds.
struct Times {
    var start: Double
    var restart: Double?
    var removal: Double

    static let steps: [(name: String, of: @Sendable (Times) -> Double?)] = [
        ("cold start", { $0.start }), ("warm restart", { $0.restart }), ("removal", { $0.removal }),
    ]

    static func median(_ all: [Times]) -> Times {
        func middle(_ value: (Times) -> Double) -> Double { all.map(value).sorted()[all.count / 2] }
        let restarts = all.compactMap(\.restart).sorted()
        return Times(
            start: middle(\.start), restart: restarts.isEmpty ? nil : restarts[restarts.count / 2],
            removal: middle(\.removal))
    }
}

extension Contender {
    /// All three steps in a namespace of its own; that the kernel really has and lacks the entries is seen to.
    static func measure(peers: Int) async throws -> Times {
        let arena = try await Arena.make()
        defer { arena.tearDown() }
        var contender = try await Self(peers: peers, in: arena)
        let start = try await contender.start()
        try await expect(4 * peers, in: arena)
        let restart = try await contender.restart()
        try await expect(4 * peers, in: arena)
        let removal = try await contender.removeAll()
        try await expect(0, in: arena)
        return Times(start: start.inSeconds, restart: restart?.inSeconds, removal: removal.inSeconds)
    }

    private static func expect(_ count: Int, in arena: Arena) async throws {
        let there = try await arena.entries()
        guard there == count else { throw BenchmarkError("\(name): the kernel has \(there) entries, not \(count)") }
    }
}
