// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// The life of a lease that is held: renewals, fencing, loss, shutdown.
@Suite struct LeaseHolderHoldingTests {
    @Test func `a lease is renewed at a third of its TTL, give or take a tenth of that`() throws {
        var (scene, _) = try HolderScene.leased()
        var waits: Set<Duration> = []
        for _ in 0..<200 {
            let start = scene.now
            #expect(try scene.wake() == [.send(.renew(GrantID(1)))])
            let wait = scene.now - start
            #expect(wait >= .seconds(18) && wait <= .seconds(22))
            waits.insert(wait)
            #expect(scene.phase == .renewing)
            let until = scene.now + HolderScene.surely
            #expect(scene.renewed(1, HolderScene.ttl) == [.report(.renewed(until: until))])
            #expect(scene.phase == .leased)
            #expect(scene.machine.deadline == until)
        }
        #expect(waits.count > 100)
    }

    @Test func `deadline and next renewal count from the sending, not from the answer`() throws {
        var (scene, _) = try HolderScene.leased()
        _ = try scene.wake()
        let sentAt = scene.now
        _ = scene.renewed(1, HolderScene.ttl, after: .seconds(9))
        #expect(scene.machine.deadline == sentAt + HolderScene.surely)
        let wake = try #require(scene.machine.wakeTime)
        #expect(wake - sentAt <= .seconds(22))
    }

    @Test func `a claim that took longer than a third of the TTL is renewed at once, before the grant ends`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        scene.now = scene.now + .seconds(55)
        let claim = try #require(scene.claim)
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(try scene.claimed(lease) == [.hold(lease)])
        #expect(scene.machine.wakeTime == scene.now)
        #expect(try scene.wake() == [.send(.renew(GrantID(1)))])
    }

    @Test(arguments: [6, 12, 60, 86_400])
    func `a renewal that fails is tried again well within the TTL, however often it failed`(seconds: Int) throws {
        let ttl = Duration.seconds(seconds)
        let identity = NodeIdentity(node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), mac: LeaseFixtures.mac(1))
        var machine = LeaseHolderStateMachine(
            settings: .init(identity: identity, carriesTraffic: true, ttl: ttl, whenLost: .move), seed: 7)
        var now = MonotonicTime(sinceStart: .zero)
        var table = LeaseTable()
        _ = table.apply(LeaseFixtures.snapshot([], at: 10))
        _ = machine.leasesKnown(table, config: .valid(try LeaseFixtures.config()), at: now)
        for _ in 0..<20 {
            let request = try #require(machine.pending)
            _ = machine.requestFailed(request, LeaseStoreError(remedy: .retry, description: "no etcd"), at: now)
            let wake = try #require(machine.wakeTime)
            #expect(wake - now <= min(.seconds(10), ttl / 6))
            now = wake
            _ = machine.timerFired(at: now)
        }
    }

    @Test func `past its deadline a lease is fenced, and comes back with a renewal`() throws {
        var (scene, lease) = try HolderScene.leased()
        let renew = try #require(try scene.wake().requests.first)
        while scene.now < (try #require(scene.machine.deadline)) {
            #expect(scene.phase == .renewing)
            guard case .report(.requestFailed) = scene.failed(renew).first else {
                Issue.record("the failure is not reported")
                return
            }
            #expect(try scene.wake() == [.send(renew)])
        }
        #expect(scene.phase == .fenced)
        #expect(scene.machine.lease == lease)
        _ = scene.failed(renew)
        #expect(scene.phase == .fenced)
        _ = try scene.wake()
        _ = scene.renewed(1, HolderScene.ttl)
        #expect(scene.phase == .leased)
    }

    @Test func `a lease whose grant ended is claimed again, the same subnet, and used meanwhile`() throws {
        var (scene, lease) = try HolderScene.leased()
        _ = try scene.wake()
        #expect(
            scene.renewed(1, nil) == [.report(.reclaiming(lease.key)), .send(.grant(ttl: HolderScene.ttl))])
        #expect(scene.phase == .fenced)
        #expect(scene.machine.lease == lease)
        let claim = try #require(scene.granted(2).claim)
        #expect(claim.key == lease.key)
        #expect(claim.condition == .absent)
        let second = try scene.lease("10.244.2.0/24", grant: 2, revision: 20)
        #expect(try scene.claimed(second) == [.hold(second)])
        #expect(scene.phase == .leased)
        // The echo of the old key's end, from before that.
        #expect(scene.gone(lease, at: 15).isEmpty)
        #expect(scene.machine.lease == second)
    }

    @Test func `a key deleted by hand is claimed again under the same grant`() throws {
        var (scene, lease) = try HolderScene.leased()
        let actions = scene.gone(lease, at: 20)
        #expect(actions.first == .report(.reclaiming(lease.key)))
        let claim = try #require(actions.claim)
        #expect((claim.key, claim.condition) == (lease.key, .absent))
        #expect(claim.grant == GrantID(1))
    }

    @Test func `a key that a new listing lacks is claimed again`() throws {
        var (scene, lease) = try HolderScene.leased()
        #expect(scene.list([], at: 20).claim?.key == lease.key)
    }

    @Test func `a key deleted while its renewal is under way is claimed again, and the renewal's answer is stale`()
        throws
    {
        var (scene, lease) = try HolderScene.leased()
        _ = try scene.wake()
        let claim = try #require(scene.gone(lease, at: 20).claim)
        #expect(scene.renewed(1, nil).isEmpty)
        #expect(scene.failed(.renew(GrantID(1))).isEmpty)
        #expect(scene.claim == claim)
    }

    @Test func `a key taken by another is left for another subnet`() throws {
        var (scene, lease) = try HolderScene.leased()
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 20)
        #expect(
            scene.feed([.lease(other)], at: 20)
                == [
                    .lost(lease.key, newHolder: other), .revoke(GrantID(1)), .send(.grant(ttl: HolderScene.ttl)),
                ])
        #expect(scene.machine.lease == nil)
        #expect(scene.phase == .starting)
        #expect(try #require(scene.granted(2).claim).key != lease.key)
    }

    @Test func `a key taken by another ends the program where that is wanted`() throws {
        var (scene, lease) = try HolderScene.leased(whenLost: .stop)
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 20)
        #expect(
            scene.feed([.lease(other)], at: 20)
                == [
                    .revoke(GrantID(1)), .lost(lease.key, newHolder: other),
                    .stop(.leaseLost(lease.key, newHolder: other)),
                ])
        #expect(scene.phase == .stopping)
        #expect(scene.machine.wakeTime == nil)
    }

    @Test(arguments: [false, true])
    func `a subnet lost while it was being claimed again is given up by the conflict`(stops: Bool) throws {
        var (scene, lease) = try HolderScene.leased(whenLost: stops ? .stop : .move)
        _ = scene.gone(lease, at: 20)
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 21)
        let actions = try scene.answer(.conflict([.lease(other)], at: Revision(21)))
        #expect(actions.contains(.lost(lease.key, newHolder: other)))
        #expect(actions.contains(.stop(.leaseLost(lease.key, newHolder: other))) == stops)
        #expect((actions.claim == nil) == stops)
        #expect(actions.claim?.key != lease.key)
        #expect(scene.machine.lease == nil)
    }

    @Test func `a subnet lost while etcd refuses to answer is given up as soon as the feed says so`() throws {
        var (scene, lease) = try HolderScene.leased()
        _ = try scene.wake()
        _ = scene.renewed(1, nil)
        _ = scene.failed(.grant(ttl: HolderScene.ttl))
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 21)
        #expect(scene.feed([.lease(other)], at: 21) == [.lost(lease.key, newHolder: other)])
        #expect(scene.machine.lease == nil)
        // Told once; the claim then meets the conflict and moves on.
        _ = try scene.wake()
        _ = scene.granted(2)
        let actions = try scene.answer(.conflict([.lease(other)], at: Revision(21)))
        #expect(!actions.contains(.lost(lease.key, newHolder: other)))
        #expect(try #require(actions.claim).key != lease.key)
    }

    @Test func `a lost subnet and no other free is waited out`() throws {
        var scene = try HolderScene(min: "10.244.2.0", max: "10.244.2.0")
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let lease = try scene.lease("10.244.2.0/24", grant: 1, revision: 11)
        _ = try scene.claimed(lease)
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 20)
        #expect(
            scene.feed([.lease(other)], at: 20)
                == [
                    .lost(lease.key, newHolder: other), .revoke(GrantID(1)), .report(.rangeFull(taken: 1, size: 1)),
                ])
        #expect(scene.gone(other, at: 21) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(try #require(scene.granted(2).claim).key == lease.key)
    }

    @Test func `an old echo of the own key says nothing`() throws {
        var (scene, lease) = try HolderScene.leased()
        let older = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 4)
        #expect(scene.list([older], at: 5).isEmpty)
        #expect(scene.list([], at: 6).isEmpty)
        #expect(scene.machine.lease == lease)
    }

    @Test func `a lease that was made a reservation for this node is held for good`() throws {
        var (scene, _) = try HolderScene.leased()
        _ = try scene.wake()
        let reservation = try scene.lease("10.244.2.0/24", grant: nil, revision: 20)
        #expect(scene.feed([.lease(reservation)], at: 20).isEmpty)
        #expect(scene.renewed(1, nil).isEmpty)
        #expect(scene.machine.wakeTime == nil)
        #expect(scene.machine.lease == reservation)
        scene.now = scene.now + .seconds(1_000)
        #expect(scene.phase == .leased)
    }

    @Test func `a lease that hangs on another grant now is renewed by that one`() throws {
        var (scene, _) = try HolderScene.leased()
        let moved = try scene.lease("10.244.2.0/24", grant: 8, revision: 20)
        #expect(scene.feed([.lease(moved)], at: 20) == [.send(.renew(GrantID(8)))])
        #expect(scene.phase == .fenced)
        _ = scene.renewed(8, HolderScene.ttl)
        #expect(scene.phase == .leased)
        #expect(try scene.wake() == [.send(.renew(GrantID(8)))])
    }

    @Test func `a shutdown keeps the lease, or releases it`() throws {
        var (scene, lease) = try HolderScene.leased()
        var other = scene
        #expect(scene.machine.shutDown(releasing: false).isEmpty)
        #expect(
            other.machine.shutDown(releasing: true)
                == [.release(lease), .revoke(GrantID(1))])
        for machine in [scene.machine, other.machine] {
            #expect(machine.phase(at: scene.now) == .stopping)
            #expect(machine.wakeTime == nil)
        }
        #expect(scene.machine.timerFired(at: scene.now + .seconds(1_000)).isEmpty)
        #expect(scene.gone(lease, at: 20).isEmpty)
        #expect(scene.granted(5) == [.revoke(GrantID(5))])
    }

    @Test func `a shutdown without a lease releases nothing`() throws {
        var scene = try HolderScene()
        #expect(scene.machine.shutDown(releasing: true).isEmpty)
        #expect(scene.list([], at: 10).isEmpty)
    }
}
