// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Late answers, pauses before a deadline, and a shutdown in the middle of something.
@Suite struct LeaseHolderTimeTests {
    @Test func `a claim that is answered past its deadline is not used before its grant has answered`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        scene.now = scene.now + .seconds(61)
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(try scene.claimed(lease) == [.send(.renew(GrantID(1)))])
        #expect(scene.machine.lease == nil)
        var lucky = scene
        #expect(lucky.renewed(1, HolderScene.ttl) == [.hold(lease)])
        // Too late: somebody else may have it.
        #expect(scene.renewed(1, nil) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(scene.machine.lease == nil)
    }

    @Test func `the deadline is a thousandth short, for clocks that do not run alike`() throws {
        let (scene, _) = try HolderScene.leased()
        #expect(try #require(scene.machine.deadline) - scene.now == .milliseconds(59_940))
    }

    @Test func `a renewal is tried several times before the deadline, however many failed before`() throws {
        var (scene, _) = try HolderScene.leased()
        let renew = try #require(try scene.wake().requests.first)
        // Long pauses after many failures.
        for _ in 0..<12 {
            _ = scene.failed(renew)
            scene.now = max(scene.now, try #require(scene.machine.wakeTime))
            _ = scene.machine.timerFired(at: scene.now)
        }
        let deadline = try #require(scene.machine.deadline)
        #expect(scene.now < deadline)
        let left = deadline - scene.now
        _ = scene.failed(renew)
        #expect(try #require(scene.machine.wakeTime) - scene.now <= max(.seconds(1), left / 4))
    }

    @Test func `a TTL is in whole seconds, as etcd counts, so that a restart finds the one that it asked for`() throws {
        let identity = NodeIdentity(node: NodeID("n"), publicIP: LeaseFixtures.publicIP(1))
        for (asked, taken) in [(1500, 2), (2000, 2), (10, 1), (0, 1)] as [(Int, Int)] {
            let settings = LeaseHolderStateMachine.Settings(
                identity: identity, carriesTraffic: false, ttl: .milliseconds(asked), whenLost: .move)
            #expect(settings.ttl == .seconds(taken))
        }
    }

    @Test func `a grant that another replaced is given back`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([lease], at: 10)
        _ = scene.renewed(5, .seconds(3600))
        _ = scene.granted(6)
        let moved = try scene.lease("10.244.2.0/24", grant: 6, revision: 11)
        #expect(try scene.claimed(moved) == [.revoke(GrantID(5)), .hold(moved)])
    }

    @Test func `a shutdown that releases leaves nothing of a claim whose answer it does not wait for`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        var granting = scene
        #expect(granting.machine.shutDown(releasing: true).isEmpty)
        #expect(granting.granted(1) == [.revoke(GrantID(1))])
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        #expect(scene.machine.shutDown(releasing: true) == [.revoke(GrantID(1))])
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(scene.machine.committed(claim, .claimed(lease), in: scene.table, at: scene.now).isEmpty)
    }

    @Test func `a shutdown that releases gives back a lease that is being looked at, renewed or claimed again`() throws
    {
        var adopting = try HolderScene()
        let found = try adopting.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = adopting.list([found], at: 10)
        #expect(adopting.machine.shutDown(releasing: true) == [.release(found), .revoke(GrantID(5))])
        var (renewing, lease) = try HolderScene.leased()
        _ = try renewing.wake()
        #expect(renewing.machine.shutDown(releasing: true) == [.release(lease), .revoke(GrantID(1))])
        var (reclaiming, _) = try HolderScene.leased()
        _ = reclaiming.gone(lease, at: 20)
        #expect(reclaiming.machine.shutDown(releasing: true).contains(.revoke(GrantID(1))))
        #expect(reclaiming.machine.lease == nil)
    }

    @Test func `a shutdown that releases takes the grant of a lease that is being moved to another`() throws {
        var scene = try HolderScene()
        let found = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([found], at: 10)
        // Of another TTL than is wanted: it is to hang on a new grant.
        #expect(scene.renewed(5, .seconds(7)) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(scene.machine.ownKey == found.key)
        #expect(scene.machine.shutDown(releasing: true) == [.revoke(GrantID(5))])
    }

    @Test func `a reservation is not released, whoever shuts down`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: nil, revision: 3)
        _ = scene.list([lease], at: 10)
        #expect(scene.machine.shutDown(releasing: true).isEmpty)
    }

    @Test func `a reservation outside of what is given out is taken; an unfit one is left alone`() throws {
        func reservation(_ subnet: String, _ scene: HolderScene) throws -> Lease {
            try scene.lease(subnet, grant: nil, revision: 3)
        }
        var inside = try HolderScene()
        let far = try reservation("10.244.200.0/24", inside)
        #expect(inside.list([far], at: 10) == [.hold(far)])
        var outside = try HolderScene()
        let foreign = try reservation("10.99.1.0/24", outside)
        #expect(
            outside.list([foreign], at: 10) == [.report(.unfit(foreign.key)), .send(.grant(ttl: HolderScene.ttl))])
    }

    @Test func `what was freed is noted, by a node that has a lease, for about three in a cluster`() throws {
        var (scene, lease) = try HolderScene.leased()
        let other = try LeaseFixtures.lease("10.244.3.0/24", node: 3, revision: 12)
        _ = scene.feed([.lease(other)], at: 12)
        #expect(scene.gone(other, at: 13) == [.noteFreed(other)])
        let many = try (10..<210).map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0, revision: 14) }
        _ = scene.list([lease] + many, at: 14)
        var notes = 0
        for (index, gone) in many.enumerated() {
            notes += scene.gone(gone, at: Int64(15 + index)).count
            _ = scene.feed([.lease(gone)], at: Int64(15 + index))
        }
        #expect((0..<15).contains(notes))
        scene.now = scene.now + .seconds(100)
        #expect(scene.phase == .fenced)
        #expect(scene.gone(many[0], at: 900).isEmpty)
    }
}
