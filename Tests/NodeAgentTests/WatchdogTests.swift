// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Dataplane
import IPAddressing
import Leases
import Logging
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import NodeAgent

/// Signs of life: only from a daemon whose loops come round.
@Suite struct WatchdogTests {
    @Test func `the loop of the lease answers, also while it waits for etcd for ever`() async throws {
        let store = InMemoryLeaseStore(config: .valid(try LeaseFixtures.config()))
        store.hang()
        try await HolderService(store: store).run { service in
            try await service.eventually("it asks") { store.waitingCount == 1 }
            let pulse = LoopPulse(of: service.inbox)
            for _ in 0..<3 { try await service.eventually("the last answer") { pulse.ask() } }
        }
    }

    @Test func `the loop of the dataplane answers between its passes`() async throws {
        let underlay = Underlay(name: "eth0", index: 2, mtu: 1500, address: LeaseFixtures.publicIP(250))
        let scene = ReconcilerScene(driver: FakeKernel(), underlay: underlay)
        let pulse = LoopPulse(of: scene.inbox)
        try await scene.run {
            for _ in 0..<3 { try await scene.eventually("the last answer") { pulse.ask() } }
        }
    }

    @Test func `a loop that hangs silences it, is named once, and gives it its voice back`() async throws {
        let time = TestClock()
        let log = LogBook()
        let signs = Mutex(0)
        // Nobody reads it until the test does.
        let inbox = LeaseHolderInbox()
        let watchdog = Watchdog(
            loops: [LoopPulse(of: inbox)], interval: .seconds(15), clock: time.clock,
            logger: Logger(label: "test") { _ in log.handler }, feed: { signs.withLock { $0 += 1 } })
        let group = ServiceGroup(
            services: [watchdog], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        func passInterval() async throws {
            try await Self.eventually { time.sleeperCount == 1 }
            time.advance(by: .seconds(15))
            try await Self.eventually { time.sleeperCount == 1 }
        }
        try await Self.eventually { signs.withLock { $0 } == 1 }
        try await passInterval()
        try await passInterval()
        #expect(signs.withLock { $0 } == 1)
        #expect(log.count("loop=lease") == 1, "\(log.lines)")

        for await input in inbox.inputs {
            if case .pulse(let pulse) = input { pulse.answer() }
            break
        }
        try await passInterval()
        #expect(signs.withLock { $0 } == 2)
        await group.triggerGracefulShutdown()
        try await running.value
    }

    @Test func `an answer that comes late is told of at once, not at the next interval`() async throws {
        let time = TestClock()
        let log = LogBook()
        let signs = Mutex(0)
        let inbox = LeaseHolderInbox()
        let prompt = ReconcilerInbox()
        let watchdog = Watchdog(
            loops: [LoopPulse(of: inbox), LoopPulse(of: prompt)], interval: .seconds(15), clock: time.clock,
            logger: Logger(label: "test") { _ in log.handler }, feed: { signs.withLock { $0 += 1 } })
        let running = Task { try await watchdog.run() }
        defer { running.cancel() }
        try await Self.eventually { signs.withLock { $0 } == 1 && time.sleeperCount == 1 }
        prompt.take().pulse?.answer()
        time.advance(by: .seconds(15))
        try await Self.eventually { time.sleeperCount == 1 }
        // The other does not answer a second time: it is in a step of its own by now.
        for await input in inbox.inputs {
            if case .pulse(let pulse) = input { pulse.answer() }
            break
        }
        #expect(signs.withLock { $0 } == 1)
        time.advance(by: .seconds(1))
        try await Self.eventually { signs.withLock { $0 } == 2 }
    }

    private static func eventually(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "it did not come to pass")
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
