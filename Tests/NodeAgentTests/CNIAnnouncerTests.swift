// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Leases
import Logging
import NodeAgent
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@Suite struct CNIAnnouncerTests {
    /// A folder that may be broken.
    private final class Folder: Sendable {
        struct State {
            var isWritten = false
            var puts = 0
            var failure: String?
            var earlier: [String] = []
        }
        let state = Mutex(State())

        struct Failure: Error, CustomStringConvertible { let description: String }

        func put() throws -> CNIAnnouncer.Outcome {
            try state.withLock { state in
                state.puts += 1
                if let failure = state.failure { throw Failure(description: failure) }
                defer { state.isWritten = true }
                return CNIAnnouncer.Outcome(isWritten: !state.isWritten, earlier: state.earlier)
            }
        }

        var puts: Int { state.withLock { $0.puts } }
    }

    private let folder = Folder()
    private let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())
    private let log = LogBook()

    private func run(resync: Duration = .seconds(300), _ body: (CNIAnnouncer) async throws -> Void) async throws {
        let logger = Logger(label: "test") { [log] _ in log.handler }
        let announcer = CNIAnnouncer(status: status, resync: resync, logger: logger) { [folder] in try folder.put() }
        let group = ServiceGroup(
            services: [announcer], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body(announcer) } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func eventually(_ condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) async {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("it did not come to pass", sourceLocation: location)
                return
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Of the check behind `/readyz`.
    private var problem: String? {
        status.read { snapshot in
            snapshot.readiness(at: status.clock.now).first { $0.name == "cni-conflist" }?.problem
        }
    }

    @Test func `nothing is written before the subnet can be used, and then at once`() async throws {
        try await run(resync: .milliseconds(1)) { announcer in
            try await Task.sleep(for: .milliseconds(20))
            #expect(folder.puts == 0)
            #expect(problem == "the CNI configuration has not been written yet")
            await announcer.announce()
            #expect(folder.puts > 0)
            #expect(problem == nil)
            #expect(status.read { $0.cni } == CNIStatus(isWritten: true))
        }
    }

    @Test func `without the option there is no such check`() {
        #expect(!status.read { $0.readiness(at: status.clock.now).contains { $0.name == "cni-conflist" } })
    }

    @Test func `a failure is told once, seen in readyz, and tried again until it works`() async throws {
        folder.state.withLock { $0.failure = "no folder" }
        try await run { announcer in
            await announcer.announce()
            #expect(problem == "no folder")
            await eventually { folder.puts >= 3 }
            folder.state.withLock { $0.failure = nil }
            await eventually { problem == nil }
        }
        #expect(log.count("can't be put in place") == 1)
    }

    @Test func `what others took away is put back`() async throws {
        try await run(resync: .milliseconds(5)) { announcer in
            await announcer.announce()
            folder.state.withLock { $0.isWritten = false }
            await eventually { folder.state.withLock { $0.isWritten } }
        }
        #expect(log.count("is back") > 0)
    }

    @Test func `another network's file that comes first is warned of once, and the node is ready`() async throws {
        folder.state.withLock { $0.earlier = ["/etc/cni/net.d/05-x.conf"] }
        try await run(resync: .milliseconds(1)) { announcer in
            await announcer.announce()
            await eventually { folder.puts > 5 }
            #expect(problem == nil)
        }
        #expect(log.count("before this node's") == 1)
        #expect(status.read { $0.cni?.precedence }?.contains("/etc/cni/net.d/05-x.conf") == true)
    }
}
