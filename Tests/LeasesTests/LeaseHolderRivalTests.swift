// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Other leases in this node's name, with its address, or over its subnet. The own one is of revision 11.
@Suite struct LeaseHolderRivalTests {
    enum Shared: Sendable, CaseIterable {
        case name, address
    }

    private func rival(_ shared: Shared, revision: Int64, in scene: HolderScene) throws -> Lease {
        switch shared {
        case .name: try scene.rival("10.244.3.0/24", name: "n1", revision: revision)
        case .address: try scene.rival("10.244.3.0/24", address: 1, revision: revision)
        }
    }

    @Test(arguments: Shared.allCases)
    func `of two that claimed at once the younger gives its lease back and stops`(shared: Shared) throws {
        var (scene, lease) = try HolderScene.leased()
        let older = try rival(shared, revision: 9, in: scene)
        let actions = scene.feed([.lease(older)], at: 12)
        let conflict = IdentityConflict(lease: older, shared: shared == .name ? .name : .publicIP)
        #expect(actions == [.release(lease), .revoke(GrantID(1)), .stop(.identityConflict(conflict))])
        #expect(scene.phase == .stopping)
        #expect(scene.machine.lease == nil)
    }

    @Test(arguments: Shared.allCases)
    func `the older stays, and says once that there is another`(shared: Shared) throws {
        var (scene, lease) = try HolderScene.leased()
        let younger = try rival(shared, revision: 12, in: scene)
        let conflict = IdentityConflict(lease: younger, shared: shared == .name ? .name : .publicIP)
        #expect(scene.feed([.lease(younger)], at: 12) == [.report(.identityConflict(conflict))])
        #expect(scene.list([lease, younger], at: 13).isEmpty)
        #expect(scene.machine.lease == lease)
    }

    @Test func `a rival that was there before the claim's answer is found when the lease is put to use`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let claim = try #require(scene.claim)
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 12)
        let older = try rival(.name, revision: 11, in: scene)
        _ = scene.table.apply([.lease(older), .lease(lease)], at: Revision(12))
        let actions = try scene.claimed(lease)
        #expect(actions.contains(.release(lease)))
        #expect(actions.last == .stop(.identityConflict(IdentityConflict(lease: older, shared: .name))))
    }

    @Test func `a claim whose answer is late yields only if the feed shows that it came second`() throws {
        for isFirst in [true, false] {
            var scene = try HolderScene()
            _ = scene.list([], at: 10)
            _ = scene.granted(1)
            let key = try #require(scene.claim).key
            if isFirst {
                #expect(scene.feed([.lease(try scene.lease("\(key.subnet)", grant: 1, revision: 11))], at: 11).isEmpty)
            }
            let other = try scene.rival("10.244.200.0/24", name: "n1", revision: 12)
            let conflict = IdentityConflict(lease: other, shared: .name)
            #expect(
                scene.feed([.lease(other)], at: 12)
                    == (isFirst
                        ? [.report(.identityConflict(conflict))]
                        // The claim may take effect yet; without its grant it can't.
                        : [.revoke(GrantID(1)), .stop(.identityConflict(conflict))]))
        }
    }

    @Test func `a twin of another MAC that is met on the very subnet stops this node`() throws {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let key = try #require(scene.claim).key
        let twin = try scene.rival("\(key.subnet)", name: "n1", address: 1, revision: 11)
        #expect(
            try scene.answer(.conflict([.lease(twin)], at: Revision(11))) == [
                .revoke(GrantID(1)), .stop(.identityConflict(IdentityConflict(lease: twin, shared: .name))),
            ])
    }

    @Test func `a lease taken over by a twin is written back, and the twin, met by that, yields`() throws {
        var (first, lease) = try HolderScene.leased()
        let theirs = Lease(
            key: lease.key,
            announcement: LeaseAnnouncement(
                node: NodeID("n1"), owner: .tartan, publicIP: LeaseFixtures.publicIP(1),
                backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(66)), ipv6: nil)),
            kind: lease.kind, createRevision: lease.createRevision, modRevision: Revision(12))
        let conflict = IdentityConflict(lease: theirs, shared: .name)
        #expect(first.feed([.lease(theirs)], at: 12) == [.report(.identityConflict(conflict))])
        let back = try #require(try first.wake().claim)
        #expect(back.condition == theirs.unchanged)
        #expect(back.announcement == lease.announcement)

        // The other side: found the lease at its start, took it over, and sees it written back.
        var twin = try HolderScene()
        _ = twin.list([theirs], at: 12)
        let mine = try #require(twin.renewed(1000, nil).requests.isEmpty ? twin.renewed(1, HolderScene.ttl).claim : nil)
        let taken = Lease(
            key: lease.key, announcement: mine.announcement, kind: lease.kind, createRevision: lease.createRevision,
            modRevision: Revision(13))
        #expect(try twin.claimed(taken) == [.hold(taken)])
        let contested = Lease(
            key: lease.key, announcement: theirs.announcement, kind: lease.kind,
            createRevision: lease.createRevision, modRevision: Revision(14))
        #expect(
            twin.feed([.lease(contested)], at: 14)
                == [.stop(.identityConflict(IdentityConflict(lease: contested, shared: .name)))])
    }

    @Test func `a claim of before that took effect late is given back, without the grant that is in use`() throws {
        var (scene, _) = try HolderScene.leased()
        let late = try scene.lease("10.244.3.0/24", grant: 1, revision: 12)
        #expect(scene.feed([.lease(late)], at: 12) == [.release(late)])
        let older = try scene.lease("10.244.4.0/24", grant: 9, revision: 13)
        #expect(scene.feed([.lease(older)], at: 13) == [.release(older), .revoke(GrantID(9))])
        #expect(scene.phase == .leased)
    }

    @Test func `a lease that covers this node's subnet makes the younger of the two move`() throws {
        for revision in [5, 12] as [Int64] {
            var (scene, lease) = try HolderScene.leased()
            let wide = try LeaseFixtures.lease("10.244.2.0/23", node: 4, revision: revision)
            let actions = scene.feed([.lease(wide)], at: 12)
            if revision == 12 {
                #expect(actions == [.report(.overlap(wide))])
                #expect(scene.machine.lease == lease)
            } else {
                #expect(actions.contains(.lost(lease.key, newHolder: wide)))
                #expect(actions.contains(.release(lease)))
                #expect(!(try #require(scene.granted(2).claim).key.overlaps(wide.key)))
            }
        }
    }

    @Test func `a reservation made for a node that has a lease waits until it has none`() throws {
        var (scene, lease) = try HolderScene.leased()
        var announcement = LeaseFixtures.announcement(node: 1)
        announcement.owner = .unnamed
        announcement.publicIP = IPv4Address(bits: 0)
        let reservation = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.4.0/24")), announcement: announcement, kind: .reservation,
            createRevision: Revision(12), modRevision: Revision(12))
        #expect(scene.feed([.lease(reservation)], at: 12) == [.report(.reservationWaits(reservation.key))])
        #expect(scene.machine.lease == lease)

        var next = try HolderScene()
        #expect(next.list([lease, reservation], at: 13) == [.send(.renew(GrantID(1)))])
        var later = try HolderScene()
        let claim = try #require(later.list([reservation], at: 14).claim)
        #expect(claim.grant == nil)
        #expect(claim.condition == reservation.unchanged)
        #expect(claim.announcement == lease.announcement)
        let taken = try later.lease("10.244.4.0/24", grant: nil, revision: 15)
        #expect(try later.claimed(taken) == [.hold(taken)])
    }

    @Test func `a subnet reserved for another is never asked for, also where it was this node's`() throws {
        var scene = try HolderScene(remembered: "10.244.3.0-24")
        var announcement = LeaseFixtures.announcement(node: 8)
        announcement.publicIP = IPv4Address(bits: 0)
        let reservation = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.3.0/24")), announcement: announcement, kind: .reservation,
            createRevision: Revision(3), modRevision: Revision(3))
        _ = scene.list([reservation], at: 10)
        #expect(try #require(scene.granted(1).claim).key != reservation.key)
    }

    @Test func `a node whose address changed keeps its subnet and says the new one`() throws {
        var scene = try HolderScene()
        let old = try scene.rival("10.244.2.0/24", node: 1, address: 200, revision: 3)
        _ = scene.list([old], at: 10)
        let claim = try #require(scene.renewed(1001, HolderScene.ttl).claim)
        #expect((claim.key, claim.condition, claim.grant) == (old.key, old.unchanged, GrantID(1001)))
        #expect(claim.announcement.publicIP == LeaseFixtures.publicIP(1))
        // Also where the key was written once more by the process of before.
        let later = try scene.rival("10.244.2.0/24", node: 1, address: 200, revision: 12)
        let again = try #require(try scene.answer(.conflict([.lease(later)], at: Revision(12))).claim)
        #expect((again.key, again.condition) == (old.key, later.unchanged))
    }
}
