// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import IPAddressing
import Leases
import Logging
import NodeAgent
import ServiceLifecycle
import TestKit
import Testing

@Suite struct PeerWatcherTests {
    private let store = InMemoryLeaseStore(config: .missing)
    private let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())
    private let log = LogBook()

    private func run(_ body: () async throws -> Void) async throws {
        let logger = Logger(label: "test") { [log] _ in log.handler }
        let watcher = PeerWatcher(
            store: store, status: status, holder: LeaseHolderInbox(), reconciler: ReconcilerInbox(), logger: logger,
            patience: .milliseconds(20))
        let group = ServiceGroup(
            services: [watcher], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func eventually(_ text: String, _ location: SourceLocation = #_sourceLocation) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while log.count(text) == 0 {
            guard .now < deadline else {
                Issue.record("not logged: \(text); but: \(log.lines)", sourceLocation: location)
                return
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private let trouble = LeaseEvent.interrupted(LeaseStoreError(remedy: .retry, description: "etcd is away"))

    @Test func `an etcd that says nothing at the start is told, with the option to look at`() async throws {
        store.hang(feeds: true)
        try await run {
            try await eventually("warning etcd has not answered so far; still trying; check --etcd-endpoints")
            store.tell(trouble)
            try await eventually("warning the leases can't be read from etcd yet; trying again until they can")
        }
        #expect(log.count("what is known stays in force") == 0)
    }

    @Test func `once leases are known they stay in force`() async throws {
        try await run {
            try await eventually("leases read")
            store.tell(trouble)
            try await eventually("what is known stays in force error=etcd is away")
        }
        #expect(log.count("has not answered") == 0)
    }
}
