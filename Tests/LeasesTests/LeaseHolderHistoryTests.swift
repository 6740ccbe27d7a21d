// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// etcd restored from an older snapshot: revisions run backwards, and what was known before can't be compared.
@Suite struct LeaseHolderHistoryTests {
    @Test func `an own lease that the snapshot lacks is put back, though its revision is newer than all there is`()
        throws
    {
        var (scene, lease) = try HolderScene.leased()
        let actions = scene.restored([], at: 5)
        #expect(actions.first == .report(.reclaiming(lease.key)))
        let claim = try #require(actions.claim)
        #expect((claim.key, claim.condition) == (lease.key, .absent))
        // What the claimant knows counts from the new history too, or a conflict would tell nothing.
        #expect(claim.known == Revision(5))
        #expect(try scene.answer(.grantGone) == [.send(.grant(ttl: HolderScene.ttl))])
        _ = scene.granted(2)
        let again = try scene.lease("10.244.2.0/24", grant: 2, revision: 6)
        #expect(try scene.claimed(again) == [.hold(again)])
        #expect(scene.feed([.lease(again)], at: 6).isEmpty)
        #expect(scene.gone(again, at: 7).claim?.key == lease.key)
    }

    @Test func `a listing that should know the lease's last write and does not is believed, and written anew`() throws {
        // Restored to before a write of which only its answer told, and gone on past it: no key speaks against it.
        var (scene, lease) = try HolderScene.leased()
        let address = LeaseFixtures.publicIP(77)
        _ = scene.machine.addressChanged(to: address, nil, in: scene.table, at: scene.now)
        var announcement = lease.announcement
        announcement.publicIP = address
        let written = Lease(
            key: lease.key, announcement: announcement, kind: lease.kind, createRevision: lease.createRevision,
            modRevision: Revision(15))
        _ = try scene.claimed(written)
        #expect(scene.list([lease], at: 14).isEmpty, "an old listing")
        let actions = scene.list([lease], at: 20)
        let claim = try #require(actions.claim)
        #expect((claim.condition, claim.announcement) == (lease.unchanged, announcement))
        #expect(actions == [.send(.commit(claim))], "nobody wrote it, and nobody is told of")
        let again = Lease(
            key: lease.key, announcement: announcement, kind: lease.kind, createRevision: lease.createRevision,
            modRevision: Revision(21))
        #expect(try scene.claimed(again).isEmpty)
        #expect(scene.feed([.lease(again)], at: 21).isEmpty)
        #expect((scene.machine.lease, scene.phase) == (again, .leased))
    }

    @Test func `a restore from before a take-over is no namesake's doing`() throws {
        // Taken over from a machine with this node's name and address, but another MAC: that of before a new disk.
        var scene = try HolderScene()
        let former = try scene.rival("10.244.2.0/24", name: "n1", address: 1, revision: 5)
        let grant = try #require(former.grantID)
        #expect(scene.list([former], at: 10) == [.send(.renew(grant))])
        _ = scene.renewed(grant.value, HolderScene.ttl)
        let mine = Lease(
            key: former.key, announcement: LeaseFixtures.announcement(node: 1), kind: former.kind,
            createRevision: former.createRevision, modRevision: Revision(11))
        _ = try scene.claimed(mine)
        _ = scene.feed([.lease(mine)], at: 11)
        let claim = try #require(scene.restored([former], at: 6).claim)
        #expect(claim.condition == former.unchanged)
        #expect(scene.phase == .leased)
    }

    @Test func `a subnet that the snapshot gives to another is left`() throws {
        var (scene, lease) = try HolderScene.leased()
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 4)
        let actions = scene.restored([other], at: 5)
        #expect(actions.first == .lost(lease.key, newHolder: other))
        #expect(scene.machine.lease == nil)
    }

    @Test func `an own lease in an older form is believed and written anew as it is there`() throws {
        var (scene, _) = try HolderScene.leased()
        let old = try LeaseFixtures.lease("10.244.2.0/24", node: 1, grant: 1, revision: 4)
        let moved = Lease(
            key: old.key,
            announcement: LeaseAnnouncement(
                node: NodeID("n1"), owner: .tartan, publicIP: LeaseFixtures.publicIP(77),
                backend: old.announcement.backend), kind: old.kind, createRevision: Revision(4),
            modRevision: Revision(4))
        let actions = scene.restored([moved], at: 5)
        #expect(scene.machine.lease == moved)
        #expect(scene.phase == .leased)
        scene.now = scene.now + .seconds(1)
        let claim = try #require(actions.claim ?? scene.machine.timerFired(at: scene.now).claim)
        #expect(claim.condition == moved.unchanged)
        #expect(claim.announcement.publicIP == LeaseFixtures.publicIP(1))
    }

    @Test func `the answer to a claim of before the restore is asked for again`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let key = try #require(scene.claim).key
        #expect(scene.restored([], at: 5).isEmpty)
        // Applied in the history that is over: in the new one nobody has the key.
        let lost = try scene.lease("\(key.subnet)", grant: 1, revision: 11)
        let again = try #require(try scene.claimed(lost).claim)
        #expect(scene.machine.lease == nil)
        #expect((again.key, again.known) == (key, Revision(5)))
    }

    @Test func `an answer that is older than what was known is not held against a table of the history before`() throws
    {
        var scene = try HolderScene()
        _ = scene.list([], at: 100)
        _ = scene.granted(1)
        let key = try #require(scene.claim).key
        // etcd was restored; the feed does not know yet.
        let lease = try scene.lease("\(key.subnet)", grant: 1, revision: 20)
        #expect(try scene.claimed(lease) == [.hold(lease)])
        #expect(scene.list([], at: 101).isEmpty)
        #expect(scene.restored([lease], at: 21).isEmpty)
        #expect(scene.machine.lease == lease)
        #expect(scene.gone(lease, at: 22).claim?.key == key)
    }

    @Test func `a listing that may be of yet another history is settled by asking for the key`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 100)
        _ = scene.granted(1)
        let key = try #require(scene.claim).key
        let lease = try scene.lease("\(key.subnet)", grant: 1, revision: 20)
        _ = try scene.claimed(lease)
        let claim = try #require(scene.restored([], at: 19).claim)
        #expect((claim.key, claim.condition) == (key, .absent))
        // It was an old listing after all: the key is there.
        #expect(try scene.answer(.conflict([.lease(lease)], at: Revision(21))) == [.hold(lease)])
    }

    @Test func `conflicts told in a new history are heeded before the feed has come to it`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 100)
        _ = scene.granted(1)
        var tried: Set<SubnetKey> = []
        for revision in 11...13 as ClosedRange<Int64> {
            let key = try #require(scene.claim).key
            #expect(tried.insert(key).inserted)
            let other = try LeaseFixtures.lease("\(key.subnet)", node: Int(revision), revision: revision)
            _ = try scene.answer(.conflict([.lease(other)], at: Revision(revision)))
        }
        #expect(!tried.contains(try #require(scene.claim).key))
    }

    @Test(arguments: [0, 1]) func `a node that is not leased yet starts over with what is there`(stage: Int) throws {
        var scene = try HolderScene()
        let own = try scene.lease("10.244.2.0/24", grant: 5, revision: 8)
        _ = scene.list(stage == 0 ? [own] : [], at: 10)
        if stage == 1 { #expect(scene.machine.pending == .grant(ttl: HolderScene.ttl)) }
        let older = try scene.lease("10.244.3.0/24", grant: 4, revision: 2)
        let actions = scene.restored([older], at: 3)
        if stage == 0 { #expect(actions == [.send(.renew(GrantID(4)))]) }
    }

    @Test func `a table counts its histories with the last part of a listing`() throws {
        var table = LeaseTable()
        _ = table.apply(LeaseFixtures.snapshot([], at: 10, startsHistory: true))
        #expect(table.history == 1)
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1, revision: 9)
        _ = table.apply([.lease(lease)], at: Revision(11))
        _ = table.apply(
            SnapshotPart(
                revision: Revision(4), records: [], config: nil, isFirst: true, isLast: false, startsHistory: true))
        #expect((table.history, table.revision) == (1, Revision(11)))
        _ = table.apply(
            SnapshotPart(
                revision: Revision(4), records: [], config: nil, isFirst: false, isLast: true, startsHistory: true))
        #expect((table.history, table.revision, table.count) == (2, Revision(4), 0))
    }
}
