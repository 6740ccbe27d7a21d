// SPDX-License-Identifier: Apache-2.0

import BenchmarkKit
import Dataplane
import IPAddressing
import Leases
import LinuxDataplane

/// The daemon's own way: what the kernel has is read, compared with what is wanted, and the difference applied. What
/// the leases mean is known already when the clock starts.
struct TartanDriver: Contender {
    static let name = "Tartan"

    private let driver: LinuxDataplaneDriver
    private let peers: Int
    private var tracker = DataplaneTracker<IPv4Address>()

    init(peers: Int, in arena: Arena) async throws {
        self.peers = peers
        driver = try await arena.driver()
        wantAll()
    }

    mutating func start() async throws -> Duration {
        let start = ContinuousClock.now
        tracker.seeAll(try await driver.seen())
        try await apply(tracker.plan(removing: true))
        return ContinuousClock.now - start
    }

    mutating func restart() async throws -> Duration? {
        tracker = DataplaneTracker()
        wantAll()
        let start = ContinuousClock.now
        tracker.seeAll(try await driver.seen())
        let plan = tracker.plan(removing: true)
        let time = ContinuousClock.now - start
        guard plan.isEmpty else { throw BenchmarkError("a restart without changes wants \(plan.count) of them") }
        return time
    }

    mutating func removeAll() async throws -> Duration {
        let start = ContinuousClock.now
        tracker.unwantAll()
        try await apply(tracker.plan(removing: true))
        return ContinuousClock.now - start
    }

    private mutating func wantAll() {
        let local = LocalNode(
            node: NodeID("measured"), publicIP: IPv4Address(172, 31, 255, 1), key: nil,
            backend: .vxlan(VXLANConfig()), usesNextHops: true)
        for number in 1...peers { tracker.want(local.entries(for: BenchmarkPeer(number).peer)) }
    }

    private mutating func apply(_ plan: [Dataplane.Operation<IPv4Address>]) async throws {
        if let failure = await driver.apply(plan).first { throw BenchmarkError(failure.error.description) }
        guard tracker.isWhole(plan) else { throw BenchmarkError("the plan has not everything that is pending") }
        tracker.settleAll(except: [])
    }
}
