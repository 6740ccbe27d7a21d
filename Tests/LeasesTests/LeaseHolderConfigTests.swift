// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// The network config changes under a node, which holds 10.244.2.0/24 of 10.244.0.0/16.
@Suite struct LeaseHolderConfigTests {
    private func vni(_ vni: Int) throws -> ConfigReading {
        var fields = NetworkConfigFields()
        fields.network = "10.244.0.0/16"
        fields.vni = vni
        return .valid(try NetworkConfig(fields))
    }

    private func written(_ claim: LeaseClaim, revision: Int64) -> Lease {
        Lease(
            key: claim.key, announcement: claim.announcement, kind: .lease(GrantID(1)), createRevision: Revision(11),
            modRevision: Revision(revision))
    }

    @Test func `another backend is announced by a transaction that compares the lease as it was read`() throws {
        var (scene, lease) = try HolderScene.leased()
        let claim = try #require(scene.read(try vni(7)).claim)
        #expect((claim.key, claim.condition, claim.grant) == (lease.key, lease.unchanged, GrantID(1)))
        #expect(claim.announcement.backend == .vxlan(ipv4: .init(vni: 7, mac: LeaseFixtures.mac(1)), ipv6: nil))
        #expect(scene.phase == .leased)
        let second = written(claim, revision: 20)
        #expect(try scene.claimed(second).isEmpty)
        #expect(scene.machine.lease == second)
        #expect(scene.feed([.lease(second)], at: 20).isEmpty)
        #expect(try scene.wake() == [.send(.renew(GrantID(1)))])
    }

    @Test func `a change that comes while a renewal is under way is announced after it`() throws {
        var (scene, _) = try HolderScene.leased()
        _ = try scene.wake()
        #expect(scene.read(try vni(7)).isEmpty)
        #expect(scene.renewed(1, HolderScene.ttl).claim?.announcement.backend.type == "vxlan")
    }

    @Test func `a change that etcd does not take is tried again, and renewals go on`() throws {
        var (scene, _) = try HolderScene.leased()
        let claim = try #require(scene.read(try vni(7)).claim)
        _ = scene.failed(.commit(claim))
        #expect(try scene.wake().claim == claim)
        scene.now = scene.now + .seconds(30)
        _ = scene.failed(.commit(claim))
        #expect(try scene.wake() == [.send(.renew(GrantID(1)))])
        _ = scene.renewed(1, HolderScene.ttl)
        #expect(scene.phase == .leased)
    }

    @Test func `a fenced node announces nothing before its grant has answered`() throws {
        var (scene, _) = try HolderScene.leased()
        scene.now = scene.now + .seconds(70)
        #expect(scene.phase == .fenced)
        #expect(scene.read(try vni(7)).isEmpty)
        #expect(try scene.wake() == [.send(.renew(GrantID(1)))])
        #expect(scene.renewed(1, HolderScene.ttl).claim != nil)
    }

    @Test func `an announcement that somebody changed meanwhile is looked at before it is written again`() throws {
        var (scene, lease) = try HolderScene.leased()
        _ = scene.read(try vni(7))
        let touched = Lease(
            key: lease.key, announcement: lease.announcement, kind: lease.kind, createRevision: Revision(11),
            modRevision: Revision(15))
        #expect(try scene.answer(.conflict([.lease(touched)], at: Revision(16))).claim == nil)
        #expect(try scene.wake().claim?.condition == touched.unchanged)
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 3, revision: 18)
        let actions = try scene.answer(.conflict([.lease(other)], at: Revision(18)))
        #expect(actions.first == .lost(lease.key, newHolder: other))
    }

    @Test func `a lease that went away before it was written anew is claimed again`() throws {
        for outcome in [ClaimOutcome.conflict([], at: Revision(16)), .grantGone] {
            var (scene, lease) = try HolderScene.leased()
            _ = scene.read(try vni(7))
            let actions = try scene.answer(outcome)
            #expect(actions.first == .report(.reclaiming(lease.key)))
            #expect(scene.machine.lease == lease)
        }
    }

    @Test func `a grown network and other bounds are taken, and the lease stays, inside of them or not`() throws {
        var (scene, lease) = try HolderScene.leased()
        let grown = try LeaseFixtures.config(network: "10.240.0.0/12", min: "10.240.1.0", max: "10.247.255.0")
        #expect(scene.read(.valid(grown)).isEmpty)
        #expect(scene.machine.config == grown)
        let elsewhere = try LeaseFixtures.config(min: "10.244.100.0", max: "10.244.200.0")
        #expect(scene.read(.valid(elsewhere)) == [.report(.unfitKept(lease.key))])
        #expect(scene.machine.config == elsewhere)
        #expect(scene.machine.lease == lease)
        #expect(scene.phase == .leased)
        // Once.
        #expect(scene.read(.valid(elsewhere)).isEmpty)
    }

    @Test func `a network without the own subnet is refused with the reason, and the one before stays in force`() throws
    {
        var (scene, lease) = try HolderScene.leased()
        let before = scene.machine.config
        let other = try LeaseFixtures.config(network: "10.99.0.0/16")
        guard case .report(.configRefused(let error))? = scene.read(.valid(other)).first else {
            Issue.record("not refused")
            return
        }
        #expect("\(error)".contains("10.99.0.0/16 does not hold this node's subnet 10.244.2.0/24"))
        #expect(scene.machine.config == before)
        #expect(scene.machine.lease == lease)
        // A node that starts anew goes by it.
        var next = try HolderScene()
        next.config = .valid(other)
        #expect(next.list([lease], at: 20).contains(.report(.unfit(lease.key))))
    }

    @Test func `a config that is broken is reported once and the last good one stays`() throws {
        var (scene, lease) = try HolderScene.leased()
        let before = scene.machine.config
        let error = NetworkConfigError(field: "SubnetLen", reason: "is 99")
        #expect(scene.read(.invalid(error)) == [.report(.configInvalid(error))])
        #expect(scene.list([lease], at: 30).isEmpty)
        #expect(scene.machine.config == before)
    }

    @Test func `a subnet that a new config does not give out is given back when the claim's answer comes`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        _ = scene.read(.valid(try LeaseFixtures.config(min: "10.244.100.0", max: "10.244.200.0")))
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        let actions = try scene.claimed(lease)
        #expect(actions.starts(with: [.report(.unfit(lease.key)), .release(lease)]))
        let third = try #require(actions.claim?.key.subnet.address)
        #expect(third >= IPv4Address(10, 244, 100, 0))
    }

    @Test func `a node that starts under a broken config keeps the lease that it has alive`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        scene.config = .missing
        #expect(scene.list([lease], at: 10) == [.report(.configMissing), .send(.renew(GrantID(5)))])
        #expect(scene.renewed(5, HolderScene.ttl) == [.hold(lease)])
        #expect(scene.phase == .leased)
        #expect(try scene.wake() == [.send(.renew(GrantID(5)))])
        _ = scene.renewed(5, nil)
        #expect(scene.granted(6).claim?.announcement == lease.announcement)
    }
}
