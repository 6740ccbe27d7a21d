// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Claims that conflict, fail or are answered late.
@Suite struct LeaseHolderClaimTests {
    private func claiming(_ taken: [String] = []) throws -> (HolderScene, LeaseClaim) {
        var scene = try HolderScene()
        _ = scene.list(try taken.map { try LeaseFixtures.lease($0, node: 9) }, at: 10)
        _ = scene.granted(1)
        return (scene, try #require(scene.claim))
    }

    private func taken(_ key: SubnetKey, by node: Int, revision: Int64) throws -> Lease {
        try LeaseFixtures.lease("\(key.subnet)", node: node, revision: revision)
    }

    @Test func `a conflict goes on with the next subnet from what it tells, under the same grant`() throws {
        var (scene, claim) = try claiming()
        var tried: Set<SubnetKey> = []
        // The feed stands still: only the conflicts tell who has what.
        for revision in 11...13 as ClosedRange<Int64> {
            tried.insert(claim.key)
            let other = try taken(claim.key, by: Int(revision), revision: revision)
            let actions = try scene.answer(.conflict([.lease(other)], at: Revision(revision)))
            #expect(actions.first == .report(.claimConflict(claim.key, holder: other)))
            claim = try #require(actions.claim)
            #expect(!tried.contains(claim.key))
            #expect(claim.condition == .absent)
            #expect(claim.grant == GrantID(1))
            #expect(claim.known == Revision(revision))
        }
    }

    @Test func `what a conflict tells of other subnets is heeded too`() throws {
        var (scene, claim) = try claiming()
        let all = ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", "10.244.4.0/24"]
        let last = try #require(all.last { $0 != "\(claim.key.subnet)" })
        let records = try all.filter { $0 != last }.enumerated().map {
            LeaseRecord.lease(try LeaseFixtures.lease($1, node: 5 + $0, revision: 11))
        }
        #expect("\(try #require(try scene.answer(.conflict(records, at: Revision(11))).claim).key.subnet)" == last)
    }

    @Test func `a conflict with an own earlier commit, whose answer was lost, is a success`() throws {
        var (scene, claim) = try claiming()
        _ = scene.failed(.commit(claim))
        #expect(try scene.wake().claim == claim)
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(try scene.answer(.conflict([.lease(lease)], at: Revision(12))) == [.hold(lease)])
    }

    @Test func `a conflict with an own lease under another grant changes that lease`() throws {
        var (scene, claim) = try claiming()
        let lease = try scene.lease("\(claim.key.subnet)", grant: 77, revision: 11)
        let second = try #require(try scene.answer(.conflict([.lease(lease)], at: Revision(12))).claim)
        #expect(second.key == claim.key)
        #expect(second.condition == lease.unchanged)
        #expect(second.grant == GrantID(1))
        // Gone before that: nobody has it, the same key again.
        let third = try #require(try scene.answer(.conflict([], at: Revision(13))).claim)
        #expect(third.key == claim.key)
        #expect(third.condition == .absent)
    }

    @Test func `a conflict with a reservation made for this node keeps it one`() throws {
        var (scene, claim) = try claiming()
        let lease = try scene.lease("\(claim.key.subnet)", grant: nil, revision: 11)
        // The grant is of no use then.
        #expect(
            try scene.answer(.conflict([.lease(lease)], at: Revision(12))) == [.revoke(GrantID(1)), .hold(lease)])
        #expect(scene.machine.wakeTime == nil)
    }

    @Test func `a key that can't be read is another's`() throws {
        var (scene, claim) = try claiming()
        let bad = UnreadableLease(
            name: claim.key.description, key: claim.key, reason: "is not JSON", modRevision: Revision(11))
        let actions = try scene.answer(.conflict([.unreadable(bad)], at: Revision(11)))
        #expect(actions.first == .report(.claimConflict(claim.key, holder: nil)))
        #expect(try #require(actions.claim).key != claim.key)
    }

    @Test func `a conflict that names no holder is not run into again before the feed has caught up`() throws {
        var (scene, claim) = try claiming()
        let second = try #require(try scene.answer(.conflict([], at: Revision(11))).claim)
        #expect(second.key != claim.key)
    }

    @Test func `a claim whose grant is gone gets another`() throws {
        var (scene, claim) = try claiming()
        #expect(try scene.answer(.grantGone) == [.send(.grant(ttl: HolderScene.ttl))])
        let second = try #require(scene.granted(2).claim)
        #expect(second.key == claim.key)
        #expect(second.grant == GrantID(2))
    }

    @Test func `with the last subnet taken the grant is given back, and a freed subnet is claimed`() throws {
        let three = ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"]
        var (scene, claim) = try claiming(three)
        #expect("\(claim.key.subnet)" == "10.244.4.0/24")
        let other = try taken(claim.key, by: 5, revision: 11)
        let actions = try scene.answer(.conflict([.lease(other)], at: Revision(11)))
        #expect(
            actions == [
                .report(.claimConflict(claim.key, holder: other)), .report(.rangeFull(taken: 3, size: 4)),
                .revoke(GrantID(1)),
            ])
        #expect(scene.phase == .starting)
        // The feed tells what the conflict had told; then that very subnet is freed.
        #expect(scene.feed([.lease(other)], at: 11).isEmpty)
        #expect(scene.gone(other, at: 12) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(try #require(scene.granted(2).claim).key == claim.key)
    }

    @Test func `a full range is reported, and left by whatever frees a subnet`() throws {
        let all = ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", "10.244.4.0/24"]
        let leases = try all.map { try LeaseFixtures.lease($0, node: 9) }
        var scene = try HolderScene()
        #expect(scene.list(leases, at: 10) == [.report(.rangeFull(taken: 4, size: 4))])
        // Of no use: outside of the range.
        let outside = try LeaseFixtures.lease("10.244.77.0/24", node: 8)
        #expect(scene.feed([.lease(outside)], at: 11).isEmpty)
        #expect(scene.gone(outside, at: 12).isEmpty)
        var widened = scene
        #expect(
            widened.read(.valid(try LeaseFixtures.config(min: "10.244.1.0", max: "10.244.9.0")))
                == [.send(.grant(ttl: HolderScene.ttl))])
        var relisted = scene
        #expect(relisted.list(Array(leases.dropFirst()), at: 13) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(scene.gone(leases[0], at: 13) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(try #require(scene.granted(1).claim).key == leases[0].key)
    }

    @Test func `a subnet freed by an unreadable lease is claimed as well`() throws {
        let three = try ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"].map {
            try LeaseFixtures.lease($0, node: 9)
        }
        var scene = try HolderScene()
        let key = SubnetKey(try IPv4Prefix(parsing: "10.244.4.0/24"))
        let bad = UnreadableLease(name: "10.244.4.0-24", key: key, reason: "is empty", modRevision: Revision(3))
        _ = scene.table.apply([.unreadable(bad)], at: Revision(3))
        _ = scene.table.apply(three.map(LeaseRecord.lease), at: Revision(10))
        #expect(
            scene.machine.leasesKnown(scene.table, config: scene.config, at: scene.now).first
                == .report(.rangeFull(taken: 3, size: 4)))
        #expect(
            scene.feed([.gone(name: bad.name, at: Revision(11))], at: 11).requests == [.grant(ttl: HolderScene.ttl)])
    }

    @Test func `failed requests are repeated unchanged after pauses that grow, and start small again after an answer`()
        throws
    {
        var scene = try HolderScene()
        let first = try #require(scene.list([], at: 10).requests.first)
        var pauses: [Duration] = []
        for _ in 0..<12 {
            guard case .report(.requestFailed(_, let pause))? = scene.failed(first).first else {
                Issue.record("not reported")
                return
            }
            pauses.append(pause)
            // Not before its time.
            #expect(scene.machine.timerFired(at: scene.now).isEmpty)
            #expect(try scene.wake() == [.send(first)])
        }
        #expect(pauses[0] <= .milliseconds(100) && pauses[0] >= .milliseconds(50))
        #expect(pauses.allSatisfy { $0 <= .seconds(10) } && pauses[11] >= .seconds(5))
        let claim = try #require(scene.granted(1).claim)
        guard case .report(.requestFailed(_, let pause))? = scene.failed(.commit(claim)).first else {
            Issue.record("not reported")
            return
        }
        #expect(pause <= .milliseconds(100))
        #expect(try scene.wake().claim == claim)
    }

    @Test func `answers that nobody waits for change nothing`() throws {
        var (scene, claim) = try claiming()
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        let stale = LeaseClaim(
            key: claim.key, announcement: claim.announcement, grant: GrantID(99), condition: .absent, known: .zero)
        let before = scene.machine.pending
        #expect(scene.granted(2) == [.revoke(GrantID(2))])
        #expect(scene.machine.committed(stale, .claimed(lease), in: scene.table, at: scene.now).isEmpty)
        #expect(scene.renewed(1, HolderScene.ttl).isEmpty)
        #expect(scene.failed(.renew(GrantID(1))).isEmpty)
        #expect(scene.machine.timerFired(at: scene.now).isEmpty)
        #expect(scene.machine.pending == before)
        #expect(try scene.claimed(lease) == [.hold(lease)])
        #expect(scene.machine.committed(claim, .claimed(lease), in: scene.table, at: scene.now).isEmpty)
    }

    @Test func `a lease that was deleted before its answer came is claimed again at once`() throws {
        var (scene, claim) = try claiming()
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(scene.feed([.lease(lease)], at: 11).isEmpty)
        #expect(scene.gone(lease, at: 12).isEmpty)
        let actions = try scene.claimed(lease)
        #expect(actions.first == .hold(lease))
        #expect(actions.claim?.key == claim.key)
        #expect(actions.claim?.condition == .absent)
    }

    @Test func `a lease that went to another before its answer came is not put to use`() throws {
        var (scene, claim) = try claiming()
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        let other = try taken(claim.key, by: 5, revision: 13)
        _ = scene.feed([.lease(other)], at: 13)
        let actions = try scene.claimed(lease)
        #expect(actions.first == .report(.claimConflict(claim.key, holder: other)))
        #expect(try #require(actions.claim).key != claim.key)
    }
}
