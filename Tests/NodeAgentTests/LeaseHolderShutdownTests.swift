// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAgent

/// The program is to end, whatever the holder is in the middle of.
@Suite struct LeaseHolderShutdownTests {
    enum Stage: CaseIterable, Sendable {
        case withoutConfig, rangeFull, granting, claiming, held, renewing, reclaiming, betweenTries
    }

    private func service(at stage: Stage, releases: Bool) throws -> HolderService {
        let store = InMemoryLeaseStore(
            config: stage == .withoutConfig
                ? .missing : .valid(try LeaseFixtures.config(min: "10.244.1.0", max: "10.244.1.0")))
        switch stage {
        case .rangeFull:
            store.put(SubnetKey(try IPv4Prefix(parsing: "10.244.1.0/24")), LeaseFixtures.announcement(node: 4))
        case .granting: store.hang()
        case .claiming: store.hang(after: 1)
        case .betweenTries: store.fail(with: LeaseStoreError(remedy: .retry, description: "no etcd"))
        case .withoutConfig, .held, .renewing, .reclaiming: break
        }
        var settings = HolderService.Settings()
        settings.releasesOnShutdown = releases
        return HolderService(store: store, settings: settings)
    }

    private func reach(_ stage: Stage, _ service: HolderService) async throws {
        let store = service.store
        switch stage {
        case .withoutConfig, .rangeFull, .betweenTries:
            try await service.eventually("it waits") { service.status.read { $0.leaseProblem != nil } }
        case .granting, .claiming:
            try await service.eventually("it asks") { store.waitingCount == 1 }
        case .held: _ = try await service.leased()
        case .renewing:
            _ = try await service.leased()
            store.hang()
            service.time.advance(by: .seconds(25))
            try await service.eventually("it asks") { store.waitingCount == 1 }
        case .reclaiming:
            let lease = try await service.leased()
            store.hang()
            store.delete(lease.key)
            try await service.eventually("it asks") { store.waitingCount == 1 }
        }
    }

    @Test(arguments: Stage.allCases, [false, true])
    func `it ends in time, also with a store that never answers`(stage: Stage, releases: Bool) async throws {
        let service = try service(at: stage, releases: releases)
        var asked = ContinuousClock.now
        try await service.run { service in
            try await reach(stage, service)
            asked = .now
        }
        // The contract says 2 s; the limit leaves room for a machine that is busy with others.
        #expect(asked.duration(to: .now) < .seconds(5))
        #expect(service.phase == .stopping)
        #expect(service.time.sleeperCount == 0)
    }

    @Test(arguments: [Stage.held, .renewing, .reclaiming], [false, true])
    func `a released subnet is promised to pods no more, and a kept one is`(stage: Stage, releases: Bool) async throws {
        let service = try service(at: stage, releases: releases)
        var key: SubnetKey?
        try await service.run { service in
            try await reach(stage, service)
            key = service.lease?.key
            #expect(service.forfeited.isEmpty)
        }
        #expect(service.forfeited == (releases ? [try #require(key)] : []))
    }

    @Test func `a release leaves neither lease nor grant`() async throws {
        let service = try service(at: .held, releases: true)
        try await service.run { service in _ = try await service.leased() }
        #expect(service.store.leases.isEmpty)
        #expect(service.store.grantCount == 0)
        #expect(service.log.count("notice lease released") == 1)
    }

    @Test func `a release in the middle of a claim takes the claim's grant away, so that it can't take effect`()
        async throws
    {
        let store = InMemoryLeaseStore(config: .valid(try LeaseFixtures.config()))
        store.hang(after: 1, only: 1)
        var settings = HolderService.Settings()
        settings.releasesOnShutdown = true
        try await HolderService(store: store, settings: settings).run { service in
            try await reach(.claiming, service)
            #expect(store.grantCount == 1)
        }
        #expect(store.leases.isEmpty)
        #expect(store.grantCount == 0)
    }

    @Test func `what is another's by then is not released`() async throws {
        let service = try service(at: .held, releases: true)
        let other = LeaseFixtures.announcement(node: 3)
        try await service.run { service in
            let lease = try await service.leased()
            // The feed has not told yet.
            service.store.mute()
            service.store.put(lease.key, other)
        }
        #expect(service.store.leases.map(\.announcement) == [other])
    }
}
