// SPDX-License-Identifier: Apache-2.0

import IPAddressing
package import Leases
import Logging
package import NodeAgent
import ServiceLifecycle
import Synchronization
package import TestKit
package import Testing

/// A lease holder and a watcher at work on a store in memory, as a daemon wires them.
package final class HolderService: Sendable {
    package struct Settings: Sendable {
        package var identity = NodeIdentity(
            node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), mac: LeaseFixtures.mac(1))
        package var ttl = Duration.seconds(60)
        package var whenLost = LeaseHolderStateMachine.WhenLost.move
        package var releasesOnShutdown = false

        package init() {}
    }

    package let store: InMemoryLeaseStore
    package let time = TestClock()
    package let status: NodeStatus
    package let reconciler = ReconcilerInbox()
    package let log = LogBook()
    package let inbox = LeaseHolderInbox()
    private let settings: Settings
    private let notes = Mutex<[SubnetKey]>([])

    package init(store: InMemoryLeaseStore, settings: Settings = Settings()) {
        self.store = store
        self.settings = settings
        status = NodeStatus(node: settings.identity.node, clock: time.clock)
    }

    /// What was noted for the next start.
    package var remembered: [SubnetKey] { notes.withLock { $0 } }
    package var lease: Lease? { status.read { $0.lease } }
    package var phase: LeasePhase { status.read { $0.phase(at: time.now) } }

    /// Runs both until the body returns, then shuts them down; throws what they threw.
    package func run(_ body: (HolderService) async throws -> Void) async throws {
        var logger = Logger(label: "test") { [log] _ in log.handler }
        logger.logLevel = .info
        let watcher = PeerWatcher(store: store, status: status, holder: inbox, reconciler: reconciler, logger: logger)
        let holder = LeaseHolder(
            store: store,
            settings: .init(
                identity: settings.identity, carriesTraffic: true, ttl: settings.ttl, whenLost: settings.whenLost),
            status: status, inbox: inbox, reconciler: reconciler, releasesOnShutdown: settings.releasesOnShutdown,
            seed: 7, logger: logger, remember: { [weak self] key in self?.notes.withLock { $0.append(key) } })
        let group = ServiceGroup(
            services: [holder, watcher], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(self)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }

    /// Waits until it is so; fails the test after half a minute.
    package func eventually(
        _ what: String, location: SourceLocation = #_sourceLocation, _ isSo: () throws -> Bool
    ) async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while try !isSo() {
            guard ContinuousClock.now < limit else {
                Issue.record("not within half a minute: \(what)", sourceLocation: location)
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Waits until the subnet is leased.
    package func leased(location: SourceLocation = #_sourceLocation) async throws -> Lease {
        try await eventually("a lease", location: location) { lease != nil && phase == .leased }
        return try #require(lease)
    }
}
