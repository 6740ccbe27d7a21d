// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAgent

/// What the feed says, passed on.
@Suite struct PeerWatcherFeedTests {
    private func run(_ body: (HolderService) async throws -> Void) async throws {
        try await HolderService(store: InMemoryLeaseStore(config: .valid(try LeaseFixtures.config()))).run(body)
    }

    private func problem(_ service: HolderService) -> String? {
        service.status.read { $0.readiness(at: service.time.now).first { $0.name == "etcd" }?.problem }
    }

    @Test func `a feed that can't be followed is not ready, and takes nothing back`() async throws {
        try await run { service in
            let lease = try await service.leased()
            try await service.eventually("its own lease is seen") { service.status.read { $0.leases.count } == 1 }
            _ = service.reconciler.take()
            #expect(problem(service) == nil)
            let error = LeaseStoreError(remedy: .retry, description: "etcd at http://a: no leader")
            for _ in 0..<3 { service.store.tell(.interrupted(error)) }
            try await service.eventually("it is told") { problem(service) == "etcd at http://a: no leader" }
            #expect(service.status.read { $0.leases.count } == 1)
            #expect(service.lease == lease)
            #expect(service.reconciler.take().leases.isEmpty)
            service.store.tell(.resumed)
            try await service.eventually("it is well") { problem(service) == nil }
            #expect(service.log.count("warning etcd can't be followed") == 1)
            #expect(service.log.count("etcd is being followed again") == 1)
        }
    }

    @Test func `the first config reaches the reconciler before the last lease is read`() async throws {
        let service = HolderService(store: InMemoryLeaseStore(config: .missing))
        try await service.run { service in
            try await service.eventually("it is told") { service.status.read { $0.configProblem != nil } }
            _ = service.reconciler.take()
            let config = ConfigReading.valid(try LeaseFixtures.config())
            service.store.tell(
                .snapshot(
                    SnapshotPart(
                        revision: Revision(50), records: [.lease(try LeaseFixtures.lease("10.244.7.0/24", node: 7))],
                        config: config, isFirst: true, isLast: false)))
            var told: ReconcilerInbox.Content?
            try await service.eventually("a part") {
                let content = service.reconciler.take()
                if content.config != nil || told == nil { told = content }
                return service.status.read { $0.leases.count } == 1 && told?.config != nil
            }
            #expect(told?.config == config)
            #expect(told?.isComplete == false)
            #expect(service.lease == nil)
        }
    }

    @Test func `an unreadable lease is told once, however often it is read`() async throws {
        try await run { service in
            _ = try await service.leased()
            let key = SubnetKey(try IPv4Prefix(parsing: "10.244.77.0/24"))
            let bad = UnreadableLease(name: "10.244.77.0-24", key: key, reason: "is no JSON", modRevision: Revision(9))
            for revision in [9, 10, 11] as [Int64] {
                service.store.tell(.changes([.unreadable(bad)], config: nil, at: Revision(revision)))
            }
            try await service.eventually("it is seen") { service.status.read { $0.leases.revision } >= Revision(11) }
            #expect(service.log.count("a lease can't be read and is skipped") == 1)
            #expect(service.status.read { $0.leases.takenKeys }.contains(key))
        }
    }
}
