// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import IPAddressing
package import Leases
import Logging
package import NodeAgent
import ServiceLifecycle
import Synchronization
import TestKit
package import Testing

/// A reconciler at work on a kernel, fed by hand.
package final class ReconcilerScene<Driver: DataplaneDriver>: Sendable {
    package let driver: Driver
    package let status = NodeStatus(node: NodeID("n0"), clock: MonotonicClock())
    package let inbox = ReconcilerInbox()
    package let log = LogBook()
    private let files = Mutex<[SubnetFile]>([])
    private let failure = Mutex<(any Error)?>(nil)
    private let tries = Mutex(0)
    private let settings: Reconciler<Driver>.Settings

    /// What the lease holder would be told.
    package let holder = LeaseHolderInbox()
    private let losses = Mutex<[SubnetKey]>([])
    private let moves = Mutex(0)
    private let lostMeanwhile = Mutex(false)

    package init(
        driver: Driver, underlay: Underlay, selection: UnderlaySelection = UnderlaySelection(),
        resync: Duration = .seconds(3600)
    ) {
        self.driver = driver
        settings = .init(
            node: NodeID("n0"), underlay: underlay, mac: LeaseFixtures.mac(250), device: nil, masquerade: false,
            carriesTraffic: true, withdrawsOnShutdown: false, selection: selection, resync: resync)
    }

    package var published: [SubnetFile] { files.withLock { $0 } }

    /// The subnets whose promise was taken back.
    package var forfeited: [SubnetKey] { losses.withLock { $0 } }

    /// How often connections were to be made anew.
    package var moveCount: Int { moves.withLock { $0 } }

    /// How often the subnet was to be published, with success or without.
    package var publishingTries: Int { tries.withLock { $0 } }

    /// Publishing the subnet fails like that until it is `nil` again.
    package func failPublishing(with error: (any Error)?) { failure.withLock { $0 = error } }

    /// Whether the subnet is lost whenever it is to be published.
    package func losePublished(_ isSo: Bool) { lostMeanwhile.withLock { $0 = isSo } }

    /// Runs the reconciler while the body does.
    package func run(_ body: () async throws -> Void) async throws {
        var logger = Logger(label: "test") { [log] _ in log.handler }
        logger.logLevel = .info
        let reconciler = Reconciler(
            driver: driver, settings: settings, status: status, inbox: inbox, logger: logger, holder: holder,
            whenMoved: { [weak self] in self?.moves.withLock { $0 += 1 } },
            forfeitSubnet: { [weak self] key in
                if let error = self?.failure.withLock({ $0 }) { throw error }
                self?.losses.withLock { $0.append(key) }
            },
            publishSubnet: { [weak self] file in
                self?.tries.withLock { $0 += 1 }
                if let error = self?.failure.withLock({ $0 }) { throw error }
                if self?.lostMeanwhile.withLock({ $0 }) == true { return false }
                self?.files.withLock { $0.append(file) }
                return true
            })
        let group = ServiceGroup(
            services: [reconciler], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }

    /// A complete snapshot of those leases, the config with it, and a subnet of our own.
    package func start(
        _ leases: [Lease], own: String? = "10.244.250.0/24", ipv6: String? = nil, config: NetworkConfig? = nil
    ) throws {
        let config = try config ?? LeaseFixtures.config()
        let part = LeaseFixtures.snapshot(leases, at: 100, config: .valid(config))
        let changes = status.update { $0.leases.apply(part) }
        inbox.setConfig(.valid(config))
        let subnet = try own.map { try IPv4Prefix(parsing: $0) } ?? .noIPv4
        inbox.setOwn(SubnetKey(subnet, ipv6Subnet: try ipv6.map { try IPv6Prefix(parsing: $0) }))
        inbox.post(changes, isComplete: true)
    }

    package func change(_ records: [LeaseRecord]) {
        let changes = status.update { $0.leases.apply(records, at: Revision(200)) }
        inbox.post(changes, isComplete: false)
    }

    /// Waits until it is so; fails the test after half a minute.
    package func eventually(
        _ what: String, location: SourceLocation = #_sourceLocation, _ isSo: () async throws -> Bool
    ) async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while try await !isSo() {
            guard ContinuousClock.now < limit else {
                Issue.record("not within half a minute: \(what)", sourceLocation: location)
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
