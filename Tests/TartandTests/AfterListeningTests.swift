// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import tartand

@Suite struct AfterListeningTests {
    /// Notes that it ran, then waits for its end.
    private struct Base: Service {
        let hasRun: Flag

        func run() async throws {
            hasRun.raise()
            try await gracefulShutdown()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        func raise() { value.store(true, ordering: .releasing) }
        var isUp: Bool { value.load(ordering: .acquiring) }
    }

    private struct CannotListen: Error {}

    /// Fails as an endpoint whose port is taken does.
    private struct Failing: Service {
        func run() async throws { throw CannotListen() }
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `it starts when the gate opens`() async throws {
        let flag = Flag()
        let service = AfterListening(Base(hasRun: flag))
        let group = ServiceGroup(services: [service], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            service.open()
            try await eventually("the base runs") { flag.isUp ? true : nil }
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }

    @Test func `what fails to listen ends the program before it starts`() async throws {
        let flag = Flag()
        let group = ServiceGroup(services: [Failing(), AfterListening(Base(hasRun: flag))], logger: quiet)
        await #expect(throws: CannotListen.self) { try await group.run() }
        #expect(!flag.isUp)
    }

    @Test func `it ends when the program ends while it still waits`() async throws {
        let service = AfterListening(Base(hasRun: Flag()))
        let group = ServiceGroup(services: [service], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }
}
