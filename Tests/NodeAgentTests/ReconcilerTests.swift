// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAgent

@Suite struct ReconcilerTests {
    private typealias Scene = ReconcilerScene<FakeKernel>

    private func scene(resync: Duration = .seconds(3600)) -> (Scene, FakeKernel) {
        let kernel = FakeKernel()
        return (Scene(driver: kernel, underlay: FakeKernel.eth0, resync: resync), kernel)
    }

    private func leases(_ numbers: ClosedRange<Int>) throws -> [Lease] {
        try numbers.map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0 + 1, revision: Int64($0)) }
    }

    private func settle(_ scene: Scene, _ kernel: FakeKernel, entries: Int) async throws {
        try await scene.eventually("\(entries) entries") {
            kernel.read { $0.state.count } == entries
                && scene.status.read { ($0.dataplane.wanted, $0.dataplane.present) == (entries, entries) }
        }
    }

    @Test func `leases become entries, then the subnet is published`() async throws {
        let (scene, kernel) = scene()
        try await scene.run {
            try scene.start(leases(1...5))
            try await settle(scene, kernel, entries: 20)
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
        }
        #expect(scene.published.first?.mtu == 1450)
        #expect(scene.status.read { $0.dataplane.problem } == nil)
    }

    @Test func `a subnet file that can't be written is told once, as its own problem, and tried again`() async throws {
        struct Full: Error {}
        let (scene, kernel) = scene()
        scene.failPublishing(with: Full())
        try await scene.run {
            try scene.start(leases(1...2))
            try await settle(scene, kernel, entries: 8)
            try await scene.eventually("three tries") { scene.publishingTries >= 3 }
            #expect(scene.log.count("the subnet file could not be written") == 1)
            #expect(scene.status.read { $0.subnetFileProblem } == "Full()")
            #expect(scene.status.read { $0.dataplane.problem } == nil)
            scene.failPublishing(with: nil)
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
            try await scene.eventually("no problem") { scene.status.read { $0.subnetFileProblem } == nil }
        }
    }

    @Test func `a lost subnet's promise is taken back, also where that fails at first, and the next one is published`()
        async throws
    {
        struct Full: Error {}
        let (scene, kernel) = scene()
        try await scene.run {
            try scene.start(leases(1...2))
            try await settle(scene, kernel, entries: 8)
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
            let own = SubnetKey(try #require(scene.published.first).subnet)
            scene.failPublishing(with: Full())
            scene.inbox.lose(own)
            try await scene.eventually("the problem") { scene.status.read { $0.subnetFileProblem } == "Full()" }
            scene.failPublishing(with: nil)
            try await scene.eventually("it is taken back") { scene.forfeited == [own] }
            #expect(scene.published.count == 1)
            // The same again, and both at once: published anew all the same.
            scene.inbox.setOwn(own)
            try await scene.eventually("the subnet file again") { scene.published.count == 2 }
            scene.inbox.lose(own)
            scene.inbox.setOwn(own)
            try await scene.eventually("and again") { scene.published.count == 3 }
        }
    }

    @Test func `a subnet that is lost while it is published counts as published only once it is leased again`()
        async throws
    {
        let (scene, kernel) = scene()
        scene.losePublished(true)
        try await scene.run {
            try scene.start(leases(1...2))
            try await settle(scene, kernel, entries: 8)
            try await scene.eventually("a try") { scene.publishingTries > 0 }
            scene.losePublished(false)
            #expect(scene.status.read { !$0.isSubnetFileWritten })
            scene.inbox.setOwn(SubnetKey(try IPv4Prefix(parsing: "10.244.250.0/24")))
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
            try await scene.eventually("it counts") { scene.status.read { $0.isSubnetFileWritten } }
        }
    }

    @Test func `a node without a dataplane and a subnet that waits for its node are no faults`() async throws {
        let (scene, kernel) = scene()
        func lease(
            _ subnet: String, _ backend: LeaseAnnouncement.Backend, _ kind: Lease.Kind, _ number: Int,
            address: IPv4Address? = nil
        ) throws -> Lease {
            Lease(
                key: SubnetKey(try IPv4Prefix(parsing: subnet)),
                announcement: LeaseAnnouncement(
                    node: NodeID("x\(number)"), owner: .tartan, publicIP: address ?? LeaseFixtures.publicIP(number),
                    backend: backend),
                kind: kind, createRevision: Revision(5), modRevision: Revision(5))
        }
        let silent = try [
            lease("10.244.90.0/24", .other("alloc"), .lease(GrantID(90)), 90),
            lease("10.244.91.0/24", .vxlan(ipv4: nil, ipv6: nil), .reservation, 91),
            lease("10.244.93.0/24", .vxlan(ipv4: nil, ipv6: nil), .reservation, 93, address: .any),
        ]
        let wrong = try [
            lease("10.244.92.0/24", .vxlan(ipv4: nil, ipv6: nil), .lease(GrantID(92)), 92),
            lease("10.244.94.0/24", .vxlan(ipv4: nil, ipv6: nil), .lease(GrantID(94)), 94, address: .any),
        ]
        try await scene.run {
            try scene.start(leases(1...2) + silent + wrong)
            try await settle(scene, kernel, entries: 8)
        }
        #expect(scene.status.read { Set($0.faults.keys) } == Set(wrong.map(\.key)))
    }

    @Test func `a subnet whose device went before its peers were in is not published`() async throws {
        let (scene, kernel) = scene()
        kernel.change { $0.isDeviceElusive = true }
        try await scene.run {
            try scene.start(leases(1...5))
            try await scene.eventually("three attempts") { kernel.read { $0.prepareCount } >= 3 }
            #expect(scene.published == [])
            kernel.change { $0.isDeviceElusive = false }
            try await settle(scene, kernel, entries: 20)
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
        }
    }

    @Test func `an entry that the kernel refuses keeps no subnet from being published`() async throws {
        let (scene, kernel) = scene()
        let refused = try IPv4Prefix(parsing: "10.244.3.0/24")
        kernel.change { $0.refused = [refused] }
        try await scene.run {
            try scene.start(leases(1...5))
            try await scene.eventually("the subnet file") { scene.published.count == 1 }
            #expect(kernel.read { $0.state.count } == 19)
        }
    }

    @Test func `of IPv6, for which the underlay has no address, nothing is promised to pods, and that is told once`()
        async throws
    {
        let (scene, _) = scene()
        try await scene.run {
            scene.inbox.setConfig(.valid(try LeaseFixtures.config(ipv6: "fd00:10:244::/56")))
            let own = try IPv4Prefix(parsing: "10.244.250.0/24")
            for block in ["fd00:10:244:1::/64", "fd00:10:244:2::/64"] {
                scene.inbox.setOwn(SubnetKey(own, ipv6Subnet: try IPv6Prefix(parsing: block)))
                scene.inbox.post([], isComplete: true)
                try await scene.eventually("the subnet file") { !scene.published.isEmpty }
            }
        }
        #expect(scene.published.map(\.ipv6Subnet) == [nil] && scene.published.map(\.ipv6Network) == [nil])
        #expect(scene.log.count("no global IPv6 address") == 1)
    }

    @Test func `an IPv6 that fails keeps IPv4 from nothing, and is promised to pods once it is well`() async throws {
        var underlay = FakeKernel.eth0
        (underlay.ipv6Address, underlay.publicIPv6) = (LeaseFixtures.publicIPv6(1), LeaseFixtures.publicIPv6(1))
        let kernel = FakeKernel(underlay: underlay)
        let scene = Scene(driver: kernel, underlay: underlay)
        let failure = DataplaneError(remedy: .retry, description: "device tartan-v6.1: EOPNOTSUPP")
        kernel.change { $0.ipv6DeviceError = failure }
        try await scene.run {
            try scene.start(
                leases(1...5), ipv6: "fd00:10:244:fa::/64", config: try LeaseFixtures.config(ipv6: "fd00:10:244::/48"))
            try await scene.eventually("IPv4's peers") { kernel.read { $0.state.count } == 20 }
            try await scene.eventually("the file") {
                scene.published.last?.ipv6Subnet == nil && !scene.published.isEmpty
            }
            #expect(scene.status.read { $0.dataplane.problem } == failure.description)
            kernel.change { $0.ipv6DeviceError = nil }
            try await scene.eventually("IPv6 for the pods") { scene.published.last?.ipv6Subnet != nil }
            #expect(scene.published.count == 2 && scene.log.count("IPv6 can't be set up yet") == 1)
            // A promise that was made is not taken back.
            kernel.disturb {
                $0.ipv6DeviceError = failure
                $0.ipv6Device = nil
            }
            try await scene.eventually("the problem") { scene.status.read { $0.dataplane.problem } != nil }
            kernel.change { $0.ipv6DeviceError = nil }
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
            #expect(scene.published.count == 2)
        }
    }

    @Test func `while IPv6 has failed for long, IPv4 is tried again as soon as ever`() async throws {
        var (ipv4, ipv6) = (FamilyState<IPv4Address>(), FamilyState<IPv6Address>())
        var random = SystemRandomNumberGenerator()
        let now = MonotonicTime(sinceStart: .seconds(100))
        for _ in 1...20 { _ = ipv6.retryTime(after: now, using: &random) }
        let far = try #require(ipv6.retryTime(after: now, using: &random))
        let near = try #require(ipv4.retryTime(after: now, using: &random))
        #expect(far > now + .seconds(5) && near < now + .seconds(1))
        ipv4.isSound = true
        #expect(ipv4.retryTime(after: now, using: &random) == nil)
    }

    @Test func `a restart with nothing changed sends no change`() async throws {
        let (scene, kernel) = scene()
        try await scene.run {
            try scene.start(leases(1...5))
            try await settle(scene, kernel, entries: 20)
        }
        kernel.change { $0.operations = [] }
        let again = Scene(driver: kernel, underlay: FakeKernel.eth0)
        try await again.run {
            try again.start(leases(1...5))
            try await again.eventually("the subnet file") { again.published.count == 1 }
        }
        #expect(kernel.read { $0.operations } == [])
        #expect(again.status.read { $0.dataplane.repairs.total } == 0)
    }

    @Test func `peers that left while the daemon was down are removed, but not before all leases are known`()
        async throws
    {
        let (scene, kernel) = scene()
        try await scene.run {
            try scene.start(leases(1...5))
            try await settle(scene, kernel, entries: 20)
        }
        let again = Scene(driver: kernel, underlay: FakeKernel.eth0)
        try await again.run {
            again.inbox.setConfig(.valid(try LeaseFixtures.config()))
            try await again.eventually("a first look") { again.status.read { $0.dataplane.present } == 20 }
            #expect(kernel.read { $0.state.count } == 20)
            try again.start(leases(1...3))
            try await settle(again, kernel, entries: 12)
        }
    }

    @Test func `an entry whose time to be tried again comes while another is tried is not forgotten`() async throws {
        let (scene, kernel) = scene()
        let bad = try ["10.244.3.0/24", "10.244.6.0/24"].map { try IPv4Prefix(parsing: $0) }
        kernel.change { $0.refused = Set(bad) }
        try await scene.run {
            try scene.start(leases(1...5))
            try await scene.eventually("a refusal") { scene.status.read { $0.dataplane.refusedCount } == 1 }
            // Refused a little later than the first, it may be tried a little later again: in the middle of that try.
            scene.change([.lease(try LeaseFixtures.lease("10.244.6.0/24", node: 7))])
            try await scene.eventually("another") { scene.status.read { $0.dataplane.refusedCount } == 2 }
            kernel.change {
                $0.refused = []
                $0.applyTime = .milliseconds(300)
            }
            try await settle(scene, kernel, entries: 24)
        }
    }

    @Test func `an entry that the kernel refuses harms no other and is tried again apart`() async throws {
        let (scene, kernel) = scene()
        let bad = try IPv4Prefix(parsing: "10.244.3.0/24")
        kernel.change { $0.refused = [bad] }
        try await scene.run {
            try scene.start(leases(1...5))
            try await scene.eventually("a refusal") { scene.status.read { $0.dataplane.refusedCount } == 1 }
            #expect(kernel.read { $0.state.count } == 19)
            #expect(scene.status.read { $0.dataplane.refused.first?.contains("10.244.3.0/24") } == true)
            // Others come and go meanwhile without another try of the bad one.
            let tries = { kernel.read { $0.operations.count { $0.key == .route(bad) } } }
            let before = tries()
            for number in 6...9 {
                scene.change([.lease(try LeaseFixtures.lease("10.244.\(number).0/24", node: number + 1))])
            }
            try await scene.eventually("the others") { kernel.read { $0.state.count } == 35 }
            #expect(tries() - before <= 1)
            kernel.change { $0.refused = [] }
            try await settle(scene, kernel, entries: 36)
            try await scene.eventually("no refusal") { scene.status.read { $0.dataplane.refused.isEmpty } }
        }
        #expect(scene.log.count("the kernel refuses an entry") == 1)
        #expect(scene.log.count("every refused entry is settled") == 1)
    }

    @Test func `leases that contradict each other are settled and told, and the winner stays when the loser goes`()
        async throws
    {
        let (scene, kernel) = scene()
        try await scene.run {
            let wide = try LeaseFixtures.lease("10.244.0.0/21", node: 77, revision: 90)
            try scene.start(leases(1...5) + [wide])
            try await settle(scene, kernel, entries: 20)
            #expect(
                scene.status.read { $0.faults[wide.key] }
                    == "its subnet overlaps 10.244.1.0-24, whose lease is older")
            kernel.change { $0.operations = [] }
            scene.change([.gone(name: wide.key.description, at: Revision(200))])
            try await scene.eventually("no fault") { scene.status.read { $0.faults.isEmpty } }
            #expect(kernel.read { $0.operations } == [])
        }
        #expect(scene.log.count("a lease is not programmed") == 1)
    }

    @Test func `a lease with this node's own VTEP MAC is not programmed, and told`() async throws {
        let (scene, kernel) = scene()
        try await scene.run {
            let twin = try LeaseFixtures.lease("10.244.7.0/24", node: 250)
            try scene.start(leases(1...2) + [twin])
            try await settle(scene, kernel, entries: 8)
            #expect(scene.status.read { $0.faults[twin.key] }?.contains("is this node's") == true)
        }
    }

    @Test func `a lease over an address of the host is not programmed, until the address is gone`() async throws {
        let (scene, kernel) = scene()
        kernel.change { $0.addresses = [IPv4Address(10, 244, 2, 1)] }
        try await scene.run {
            try scene.start(leases(1...3))
            try await settle(scene, kernel, entries: 8)
            kernel.disturb { $0.addresses = [] }
            try await settle(scene, kernel, entries: 12)
            #expect(scene.status.read { $0.faults.isEmpty })
        }
    }
}
