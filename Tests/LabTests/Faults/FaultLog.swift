// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Every fault with its time, told as it happens.
final class FaultLog: Sendable {
    struct Entry: Sendable {
        let fault: Fault
        let start: Int64
        var end = Int64.max
    }

    private let state = Mutex<(entries: [Entry], deaths: [(node: Int, at: Int64)])>(([], []))
    let start = Moment.now

    var entries: [Entry] { state.withLock { $0.entries } }

    /// When a node's daemon was surely dead.
    func deaths(ofNode number: Int) -> [Int64] {
        state.withLock { $0.deaths.filter { $0.node == number }.map(\.at) }
    }

    func died(node: Int) { state.withLock { $0.deaths.append((node, Moment.now)) } }

    /// Runs a fault from its beginning to its healing.
    func record(_ fault: Fault, _ body: () async throws -> Void) async throws {
        let index = state.withLock {
            $0.entries.append(Entry(fault: fault, start: Moment.now))
            return $0.entries.count - 1
        }
        say("\(fault)")
        try await body()
        state.withLock { $0.entries[index].end = Moment.now }
        say("  healed: \(fault.kind.rawValue)")
    }

    func say(_ text: String) { print("\(seconds(Moment.now)) s  \(text)") }

    /// Since the beginning.
    func seconds(_ moment: Int64) -> Double { Double((moment - start) / 100) / 10 }

    func count(_ kind: Fault.Kind) -> Int { entries.count { $0.fault.kind == kind } }
}
