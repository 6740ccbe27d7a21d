// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Leases
import Synchronization
import Testing

@testable import NodeAgent

@Suite struct AlarmTests {
    private func waitUntil(_ isSo: () -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while !isSo() {
            try #require(ContinuousClock.now < limit, "not within half a minute")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test func `setting it again forgets the time before`() async throws {
        let time = TestClock()
        let rings = Mutex(0)
        let alarm = Alarm(clock: time.clock) { rings.withLock { $0 += 1 } }
        for step in 1...50 {
            alarm.set(time.now + .seconds(step))
        }
        try await waitUntil { time.sleeperCount == 1 && time.nextWake == time.now + .seconds(50) }
        time.advance(by: .seconds(49))
        #expect(rings.withLock { $0 } == 0)
        time.advance(by: .seconds(1))
        try await waitUntil { rings.withLock { $0 } == 1 }
        #expect(time.sleeperCount == 0)
    }

    @Test func `the same time again starts nothing, and none ends it`() async throws {
        let time = TestClock()
        let alarm = Alarm(clock: time.clock) { Issue.record("it rang") }
        let wake = time.now + .seconds(5)
        for _ in 0..<10 { alarm.set(wake) }
        try await waitUntil { time.sleeperCount == 1 }
        alarm.set(nil)
        try await waitUntil { time.sleeperCount == 0 }
        time.advance(by: .seconds(60))
    }

    @Test func `a time that is past rings at once`() async throws {
        let time = TestClock()
        let rings = Mutex(0)
        let alarm = Alarm(clock: time.clock) { rings.withLock { $0 += 1 } }
        alarm.set(time.now)
        try await waitUntil { rings.withLock { $0 } == 1 }
    }
}
