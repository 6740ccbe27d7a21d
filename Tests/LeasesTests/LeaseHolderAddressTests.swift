// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// A node whose address changes while it runs.
@Suite struct LeaseHolderAddressTests {
    private let address = LeaseFixtures.publicIP(77)

    private func moved(_ scene: inout HolderScene, to address: IPv4Address) -> [LeaseHolderAction] {
        scene.machine.addressChanged(to: address, nil, in: scene.table, at: scene.now)
    }

    /// The lease as it is once it announces the new address.
    private func announced(_ lease: Lease, at revision: Int64, _ address: IPv4Address? = nil) -> Lease {
        var announcement = lease.announcement
        announcement.publicIP = address ?? self.address
        return Lease(
            key: lease.key, announcement: announcement, kind: lease.kind, createRevision: lease.createRevision,
            modRevision: Revision(revision))
    }

    @Test func `the same lease says so, under the same grant, if it still is as it was read`() throws {
        var (scene, lease) = try HolderScene.leased()
        let actions = moved(&scene, to: address)
        #expect(actions.first == .report(.addressChanged(address, nil)))
        let claim = try #require(actions.claim)
        #expect((claim.key, claim.grant, claim.condition) == (lease.key, lease.grantID, lease.unchanged))
        #expect(claim.announcement == announced(lease, at: 1).announcement)
        let new = announced(lease, at: 12)
        #expect(try scene.claimed(new).isEmpty)
        #expect(scene.machine.lease == new)
        #expect(scene.feed([.lease(new)], at: 12).isEmpty)
        #expect(scene.phase == .leased)
        #expect(moved(&scene, to: address).isEmpty)
    }

    @Test func `while a renewal is under way, or past the deadline, it says so afterwards`() throws {
        var (scene, _) = try HolderScene.leased()
        _ = try scene.wake()
        #expect(moved(&scene, to: address) == [.report(.addressChanged(address, nil))])
        #expect(scene.renewed(1, HolderScene.ttl).claim?.announcement.publicIP == address)

        (scene, _) = try HolderScene.leased()
        scene.now = scene.now + .seconds(1_000)
        #expect(scene.phase == .fenced)
        #expect(moved(&scene, to: address) == [.report(.addressChanged(address, nil))])
        _ = try scene.wake()
        #expect(scene.renewed(1, HolderScene.ttl).claim?.announcement.publicIP == address)
    }

    @Test func `what it wrote with the former address is its own, also where it has no MAC address`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        let identity = NodeIdentity(node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1))
        scene.machine = LeaseHolderStateMachine(
            settings: .init(identity: identity, carriesTraffic: false, ttl: HolderScene.ttl, whenLost: .move), seed: 7)
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        // The address changes while the claim, with the former one, is on its way.
        #expect(moved(&scene, to: address).claim == nil)
        let lease = Lease(
            key: claim.key, announcement: claim.announcement, kind: .lease(GrantID(1)), createRevision: Revision(11),
            modRevision: Revision(11))
        _ = scene.feed([.lease(lease)], at: 11)
        let actions = try scene.claimed(lease)
        #expect(actions.first == .hold(lease))
        #expect(actions.claim?.announcement.publicIP == address)
        // Back before that was answered.
        _ = moved(&scene, to: LeaseFixtures.publicIP(1))
        let between = announced(lease, at: 12)
        #expect(scene.feed([.lease(between)], at: 12).allSatisfy { if case .lost = $0 { false } else { true } })
        _ = try scene.claimed(between)
        #expect(try scene.wake().claim?.announcement.publicIP == LeaseFixtures.publicIP(1))
    }

    @Test func `an address that another node's lease bears is not taken, until that lease is gone`() throws {
        var (scene, lease) = try HolderScene.leased()
        let other = try scene.rival("10.244.3.0/24", node: 5, address: 77, revision: 12)
        _ = scene.feed([.lease(other)], at: 12)
        let actions = moved(&scene, to: address)
        guard case .report(.addressTaken(let conflict))? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect("\(conflict)".contains("node 'n5' holds 10.244.3.0/24"))
        #expect("\(conflict)".contains("goes on to announce \(LeaseFixtures.publicIP(1))"))
        #expect(scene.machine.lease == lease && scene.machine.addressConflict == conflict)
        #expect(moved(&scene, to: address).isEmpty, "told once")
        // Others' comings and goings change nothing.
        #expect(scene.feed([.lease(try LeaseFixtures.lease("10.244.4.0/24", node: 4, revision: 13))], at: 13).isEmpty)
        #expect(scene.gone(other, at: 14).claim?.announcement.publicIP == address)
        #expect(scene.machine.addressConflict == nil)
    }

    @Test func `a conflict is over when the node has its former address back`() throws {
        var (scene, lease) = try HolderScene.leased()
        _ = scene.feed([.lease(try scene.rival("10.244.3.0/24", node: 5, address: 77, revision: 12))], at: 12)
        _ = moved(&scene, to: address)
        #expect(moved(&scene, to: lease.announcement.publicIP).isEmpty)
        #expect(scene.machine.addressConflict == nil && scene.machine.lease == lease)
    }

    @Test func `another's claim of the new address at the same time is a conflict that the older lease wins`() throws {
        var (scene, _) = try HolderScene.leased()
        _ = moved(&scene, to: address)
        let younger = try scene.rival("10.244.3.0/24", node: 5, address: 77, revision: 30)
        let actions = scene.feed([.lease(younger)], at: 30)
        guard case .report(.identityConflict)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(scene.phase == .leased)
    }

    /// One of both families, or of IPv6 alone, at 192.168.0.1 and fd20::1, that holds its subnet.
    private func leased(hasIPv4: Bool = true, hasIPv6: Bool = true) throws -> HolderScene {
        var scene = try HolderScene()
        let config = try LeaseFixtures.config(ipv6: hasIPv6 ? "fd00:10:244::/48" : nil, hasIPv4: hasIPv4)
        scene.config = .valid(config)
        let identity = NodeIdentity(
            node: NodeID("n1"), publicIP: hasIPv4 ? LeaseFixtures.publicIP(1) : .any,
            publicIPv6: LeaseFixtures.publicIPv6(1), mac: LeaseFixtures.mac(1))
        scene.machine = LeaseHolderStateMachine(
            settings: .init(identity: identity, carriesTraffic: true, ttl: HolderScene.ttl, whenLost: .move), seed: 7)
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        let lease = Lease(
            key: claim.key, announcement: claim.announcement, kind: .lease(GrantID(1)), createRevision: Revision(11),
            modRevision: Revision(11))
        _ = try scene.claimed(lease)
        _ = scene.feed([.lease(lease)], at: 11)
        return scene
    }

    @Test(arguments: [true, false])
    func `an IPv6 address that another node's lease bears is not taken either, and the sentence names it`(
        hasIPv4: Bool
    ) throws {
        var scene = try leased(hasIPv4: hasIPv4)
        let subnet = "fd00:10:244:7::/64"
        let other = try LeaseFixtures.dualLease(hasIPv4 ? "10.244.7.0/24" : nil, subnet, node: 7)
        _ = scene.feed([.lease(other)], at: 12)
        let actions = scene.machine.addressChanged(
            to: hasIPv4 ? address : .any, LeaseFixtures.publicIPv6(7), in: scene.table, at: scene.now)
        guard case .report(.addressTaken(let conflict))? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        let held = hasIPv4 ? "10.244.7.0/24" : subnet
        #expect("\(conflict)".contains("address is fd20::7 now, with which node 'n7' holds \(held)"))
        #expect("\(conflict)".contains("goes on to announce fd20::1;"))
    }

    @Test func `an IPv6 address is reported where the network has IPv6, and only there`() throws {
        let (ipv4, ipv6) = (LeaseFixtures.publicIP(1), LeaseFixtures.publicIPv6(8))
        var scene = try leased()
        let actions = scene.machine.addressChanged(to: ipv4, ipv6, in: scene.table, at: scene.now)
        #expect(actions.first == .report(.addressChanged(ipv4, ipv6)))
        #expect(actions.claim?.announcement.publicIPv6 == ipv6)
        scene = try leased(hasIPv6: false)
        #expect(scene.machine.addressChanged(to: ipv4, ipv6, in: scene.table, at: scene.now).isEmpty)
    }
}
