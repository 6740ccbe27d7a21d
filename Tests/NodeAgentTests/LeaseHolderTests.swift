// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAgent

/// The loop that keeps the own lease, with the watcher beside it, over a store in memory and a clock that stands.
@Suite struct LeaseHolderTests {
    private func store(_ config: NetworkConfig? = nil) throws -> InMemoryLeaseStore {
        InMemoryLeaseStore(config: .valid(try config ?? LeaseFixtures.config()))
    }

    private func unavailable(_ text: String, _ remedy: LeaseStoreError.Remedy = .retry) -> LeaseStoreError {
        LeaseStoreError(remedy: remedy, description: text)
    }

    private func problem(_ check: String, _ service: HolderService) -> String? {
        service.status.read { $0.readiness(at: service.time.now).first { $0.name == check }?.problem }
    }

    @Test func `a node leases a subnet with two requests, notes it and tells the reconciler`() async throws {
        let store = try store()
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            #expect(store.leases == [lease])
            #expect(store.requestCount == 2)
            #expect(service.remembered == [lease.key])
            let told = service.reconciler.take()
            #expect(told.own == .some(lease.key))
            #expect(told.config == .valid(try LeaseFixtures.config()))
            #expect(problem("lease", service) == nil)
            #expect(problem("subnet-file", service) != nil)
        }
        // By default the lease outlives the process.
        #expect(store.leases.count == 1)
    }

    @Test func `renewals come by the given clock, and only one timer runs however often it was set`() async throws {
        let store = try store()
        try await HolderService(store: store).run { service in
            _ = try await service.leased()
            for round in 0..<10 {
                try await service.eventually("a timer") { service.time.sleeperCount == 1 }
                let wait = try #require(service.time.nextWake) - service.time.now
                #expect(wait > .seconds(17) && wait < .seconds(23))
                service.time.advance(by: wait)
                try await service.eventually("a renewal") { store.requestCount == 3 + round }
            }
            // Changes of others set no timer of their own.
            for number in 10..<40 {
                store.put(
                    SubnetKey(try IPv4Prefix(parsing: "10.244.\(number).0/24")),
                    LeaseFixtures.announcement(node: number))
            }
            try await service.eventually("they are seen") { service.status.read { $0.leases.count } > 30 }
            #expect(service.time.sleeperCount <= 1)
        }
    }

    @Test func `a key deleted by hand is put back, and the reconciler hears of the same subnet`() async throws {
        let store = try store()
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            _ = service.reconciler.take()
            store.delete(lease.key)
            try await service.eventually("it is back") {
                service.lease?.key == lease.key && service.lease != lease && service.phase == .leased
            }
            #expect(service.reconciler.take().own == .some(lease.key))
            #expect(service.log.count("claiming the same subnet again") == 1)
        }
    }

    @Test func `a subnet lost to another is given up at once, and another leased`() async throws {
        let store = try store()
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            _ = service.reconciler.take()
            store.hang()
            store.put(lease.key, LeaseFixtures.announcement(node: 2))
            try await service.eventually("it is given up") { service.lease == nil }
            let told = service.reconciler.take()
            #expect(told.own == .some(nil) && told.lost == lease.key)
            #expect(service.forfeited == [lease.key])
            #expect(problem("lease", service)?.contains("was lost to another node") == true)
            #expect(service.log.count("critical the subnet belongs to another node now") == 1)
            store.goOn()
            let next = try await service.leased()
            #expect(next.key != lease.key)
            #expect(service.reconciler.take().own == .some(next.key))
            #expect(problem("lease", service) == nil)
            #expect(store.leases.first { $0.key == lease.key }?.announcement.node == NodeID("n2"))
        }
    }

    @Test func `where that is wanted a lost subnet ends the program, and says to whom it went`() async throws {
        let store = try store()
        var settings = HolderService.Settings()
        settings.whenLost = .stop
        let stop = await #expect(throws: LeaseHolderStop.self) {
            try await HolderService(store: store, settings: settings).run { service in
                let lease = try await service.leased()
                store.put(lease.key, LeaseFixtures.announcement(node: 2))
                try await service.eventually("it ends") { service.phase == .stopping }
                #expect(service.reconciler.take().own == .some(nil))
                #expect(service.forfeited == [lease.key])
            }
        }
        #expect("\(try #require(stop))".contains("was lost to node 'n2'"))
        #expect(store.grantCount == 0)
    }

    @Test func `a namesake's lease stops the node at its start, which takes nothing from it`() async throws {
        let store = try store()
        var other = LeaseFixtures.announcement(node: 5)
        other.node = NodeID("n1")
        store.put(SubnetKey(try IPv4Prefix(parsing: "10.244.9.0/24")), other)
        let stop = await #expect(throws: LeaseHolderStop.self) {
            try await HolderService(store: store).run { service in
                try await service.eventually("it ends") { service.phase == .stopping }
            }
        }
        #expect("\(try #require(stop))".contains("already holds 10.244.9.0/24 under this node's name"))
        #expect(store.leases.count == 1)
        #expect(store.requestCount == 0)
    }

    @Test func `the younger of two namesakes gives its lease back before it ends`() async throws {
        let store = try store()
        var other = LeaseFixtures.announcement(node: 5)
        other.node = NodeID("n1")
        let key = SubnetKey(try IPv4Prefix(parsing: "10.244.9.0/24"))
        await #expect(throws: LeaseHolderStop.self) {
            try await HolderService(store: store).run { service in
                let lease = try await service.leased()
                // As if the other had claimed a moment before, unseen.
                let older = Lease(
                    key: key, announcement: other, kind: .lease(GrantID(99)), createRevision: Revision(1),
                    modRevision: Revision(1))
                store.tell(.changes([.lease(older)], config: nil, at: lease.modRevision.next))
                try await service.eventually("it ends") { service.phase == .stopping }
                #expect(service.forfeited == [lease.key])
            }
        }
        #expect(store.leases.isEmpty)
        #expect(store.grantCount == 0)
    }

    @Test func `without word from etcd the lease is fenced, keeps its subnet, and comes back`() async throws {
        let store = try store()
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            _ = service.reconciler.take()
            store.fail(with: unavailable("etcd at http://a: the connection was refused"))
            let deadline = try #require(service.status.read { $0.deadline })
            while service.time.now < deadline {
                try await service.eventually("a timer") { service.time.nextWake != nil }
                service.time.advance(by: .seconds(1))
            }
            #expect(service.phase == .fenced)
            #expect(service.lease == lease)
            #expect(service.forfeited == [], "a lease that nobody has spoken of is not lost")
            #expect(problem("lease", service) == "etcd at http://a: the connection was refused")
            #expect(service.reconciler.take().own == nil)
            #expect(service.log.count("etcd did not do as asked") == 1)
            #expect(service.time.sleeperCount <= 1)
            store.fail(with: nil)
            while service.phase != .leased {
                service.time.advance(by: .seconds(1))
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(service.lease == lease)
            #expect(problem("lease", service) == nil)
            #expect(service.log.count("notice lease renewed") == 1)
        }
    }

    @Test func `what only an operator can mend is said loudly, shown, and tried again`() async throws {
        let store = try store()
        store.fail(with: unavailable("etcd at http://a: its database is full (NOSPACE)", .operatorNeeded))
        try await HolderService(store: store).run { service in
            try await service.eventually("it is shown") {
                problem("lease", service) == "etcd at http://a: its database is full (NOSPACE)"
            }
            #expect(service.log.count("error etcd did not do as asked") == 1)
            let before = store.requestCount
            while store.requestCount < before + 3 {
                service.time.advance(by: .seconds(1))
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(service.log.count("etcd did not do as asked") == 1)
            store.fail(with: nil)
            while service.phase != .leased {
                service.time.advance(by: .seconds(1))
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(problem("lease", service) == nil)
        }
    }

    @Test func `a new backend is announced and handed to the reconciler; a network without the subnet is not`()
        async throws
    {
        let store = try store()
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            _ = service.reconciler.take()
            var fields = NetworkConfigFields()
            fields.network = "10.244.0.0/16"
            fields.vni = 9
            let other = try NetworkConfig(fields)
            store.setConfig(.valid(other))
            try await service.eventually("it is announced") {
                store.leases.first?.announcement.backend
                    == .vxlan(ipv4: .init(vni: 9, mac: LeaseFixtures.mac(1)), ipv6: nil)
            }
            #expect(service.phase == .leased)
            #expect(service.reconciler.take().config == .valid(other))
            store.setConfig(.valid(try LeaseFixtures.config(network: "10.99.0.0/16")))
            try await service.eventually("it is refused") { service.status.read { $0.configProblem != nil } }
            store.setConfig(.invalid(NetworkConfigError(field: "Network", reason: "is nonsense")))
            try await service.eventually("it is named") {
                service.status.read { $0.configProblem?.contains("is nonsense") == true }
            }
            #expect(service.status.read { $0.config } == .valid(other))
            #expect(service.reconciler.take().config == nil)
            #expect(service.lease?.key == lease.key)
            #expect(problem("lease", service) == nil)
            store.setConfig(.valid(other))
            try await service.eventually("all is well") { service.status.read { $0.configProblem == nil } }
        }
    }

    @Test func `a new address of this node is written into its lease; one of another node's is a problem`() async throws
    {
        let store = try store()
        store.put(SubnetKey(try IPv4Prefix(parsing: "10.244.9.0/24")), LeaseFixtures.announcement(node: 9))
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            service.inbox.post(.addressChanged(LeaseFixtures.publicIP(9), nil))
            try await service.eventually("the problem") {
                problem("dataplane", service)?.contains("with which node 'n9' holds 10.244.9.0/24") == true
            }
            #expect(service.lease == lease)
            service.inbox.post(.addressChanged(LeaseFixtures.publicIP(77), nil))
            try await service.eventually("it is announced") {
                store.leases.contains { $0.key == lease.key && $0.announcement.publicIP == LeaseFixtures.publicIP(77) }
            }
            try await service.eventually("it is known") {
                service.lease?.announcement.publicIP == LeaseFixtures.publicIP(77)
            }
            #expect(service.lease?.grantID == lease.grantID && service.phase == .leased)
            #expect(service.status.read { $0.publicIP } == LeaseFixtures.publicIP(77))
            #expect(service.status.read { $0.addressProblem } == nil)
            #expect(service.forfeited == [])
        }
    }

    @Test func `an etcd that was restored from before the lease gets it back`() async throws {
        let store = try store()
        let old = store.snapshot
        try await HolderService(store: store).run { service in
            let lease = try await service.leased()
            _ = service.reconciler.take()
            store.restore(old)
            try await service.eventually("it is there again") {
                store.leases.first?.key == lease.key && service.phase == .leased && service.lease == store.leases.first
            }
            #expect(service.reconciler.take().own == .some(lease.key))
        }
    }

    @Test func `the subnet of an earlier run that another took is marked before this node has a new one`() async throws
    {
        let store = try store()
        let key = try SubnetKey(parsing: "10.244.9.0-24")
        store.put(key, LeaseFixtures.announcement(node: 2))
        store.hang()
        var settings = HolderService.Settings()
        settings.identity = NodeIdentity(
            node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), preferred: key, mac: LeaseFixtures.mac(1))
        try await HolderService(store: store, settings: settings).run { service in
            try await service.eventually("it is marked") { service.forfeited == [key] }
            try await service.eventually("a try again, where that failed") { service.reconciler.take().lost == key }
            #expect(service.lease == nil)
        }
    }

    @Test func `an old lease that does not fit the config is marked when it is given up`() async throws {
        let store = try store(LeaseFixtures.config(min: "10.244.20.0", max: "10.244.30.0"))
        let key = try SubnetKey(parsing: "10.244.9.0-24")
        store.put(key, LeaseFixtures.announcement(node: 1), grant: GrantID(77))
        try await HolderService(store: store).run { service in
            _ = try await service.leased()
            #expect(service.forfeited == [key])
        }
    }

    @Test func `the status says the addresses that are announced, and none where there is none`() async throws {
        let store = try store(LeaseFixtures.config(ipv6: "fd00:10:244::/56", hasIPv4: false))
        var settings = HolderService.Settings()
        settings.identity = NodeIdentity(
            node: NodeID("n1"), publicIP: .any, publicIPv6: LeaseFixtures.publicIPv6(1), mac: LeaseFixtures.mac(1))
        try await HolderService(store: store, settings: settings).run { service in
            _ = try await service.leased()
            let (ipv4, ipv6) = service.status.read { ($0.publicIP, $0.publicIPv6) }
            #expect(ipv4 == nil && ipv6 == LeaseFixtures.publicIPv6(1))
            service.inbox.post(.addressChanged(.any, LeaseFixtures.publicIPv6(2)))
            try await service.eventually("the new one") {
                service.status.read { $0.publicIPv6 } == LeaseFixtures.publicIPv6(2)
            }
        }
    }
}
