// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// From the first listing to a lease that is held.
@Suite struct LeaseHolderStartTests {
    @Test func `an empty table leads to a grant, a claim of an absent key, and a lease`() throws {
        var scene = try HolderScene()
        #expect(scene.phase == .starting)
        #expect(scene.list([], at: 10) == [.send(.grant(ttl: HolderScene.ttl))])
        let claim = try #require(scene.granted(1).claim)
        #expect(claim.condition == .absent)
        #expect(claim.grant == GrantID(1))
        #expect(claim.known == Revision(10))
        #expect(claim.announcement == LeaseFixtures.announcement(node: 1))
        let lease = try scene.lease("\(claim.key.subnet)", grant: 1, revision: 11)
        #expect(scene.phase == .starting)
        #expect(try scene.claimed(lease) == [.hold(lease)])
        #expect(scene.phase == .leased)
        #expect(scene.machine.lease == lease)
        #expect(scene.machine.deadline == scene.now + HolderScene.surely)
        #expect(scene.feed([.lease(lease)], at: 11).isEmpty)
    }

    @Test func `a node that only leases announces no endpoint`() throws {
        var scene = try HolderScene(carriesTraffic: false)
        _ = scene.list([], at: 10)
        #expect(scene.granted(1).claim?.announcement.backend == .other("alloc"))
    }

    @Test func `a remembered subnet comes first, then the one of the subnet file, where they are free`() throws {
        for (taken, expected) in [
            ([], "10.244.3.0-24"), (["10.244.3.0/24"], "10.244.2.0-24"), (["10.244.2.0/23"], nil),
        ] as [([String], String?)] {
            var scene = try HolderScene(remembered: "10.244.3.0-24", preferred: "10.244.2.0-24")
            _ = scene.list(try taken.map { try LeaseFixtures.lease($0, node: 2) }, at: 10)
            let key = try #require(scene.granted(1).claim).key
            if let expected { #expect(key.description == expected) }
            #expect(!scene.table.takenKeys.contains { $0.overlaps(key) })
        }
    }

    @Test func `an own lease is asked for its grant and kept without a write`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        #expect(scene.list([lease], at: 10) == [.send(.renew(GrantID(5)))])
        #expect(scene.machine.lease == nil)
        #expect(scene.renewed(5, HolderScene.ttl) == [.hold(lease)])
        #expect(scene.phase == .leased)
    }

    @Test func `an own lease whose grant is gone is claimed again under a new one`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([lease], at: 10)
        #expect(scene.renewed(5, nil) == [.send(.grant(ttl: HolderScene.ttl))])
        let claim = try #require(scene.granted(6).claim)
        #expect(claim.key == lease.key)
        #expect(claim.condition == .absent)
    }

    @Test func `an own lease with another TTL gets a grant with this one, in one write of the key as it was read`()
        throws
    {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([lease], at: 10)
        #expect(scene.renewed(5, .seconds(3600)) == [.send(.grant(ttl: HolderScene.ttl))])
        let claim = try #require(scene.granted(6).claim)
        #expect(claim.key == lease.key)
        #expect(claim.condition == lease.unchanged)
        #expect(claim.grant == GrantID(6))
    }

    @Test func `an own lease that says something else of this node is written anew under its own grant`() throws {
        var scene = try HolderScene()
        let old = try LeaseFixtures.lease("10.244.2.0/24", node: 1, grant: 5, revision: 3, named: false)
        #expect(scene.list([old], at: 10) == [.send(.renew(GrantID(5)))])
        let claim = try #require(scene.renewed(5, HolderScene.ttl).claim)
        #expect(claim.condition == old.unchanged)
        #expect(claim.grant == GrantID(5))
        #expect(claim.announcement.node == NodeID("n1"))
        #expect(claim.announcement.owner == .tartan)
    }

    @Test func `an own lease that ended between listing and renewal is claimed again once it is known`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([lease], at: 10)
        // Deleted by hand: the grant lives on.
        #expect(scene.gone(lease, at: 11).isEmpty)
        let actions = scene.renewed(5, HolderScene.ttl)
        #expect(actions.first == .hold(lease))
        #expect(actions.claim?.condition == .absent)
    }

    @Test func `an own lease that went to another between listing and renewal is never put to use`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: 5, revision: 3)
        _ = scene.list([lease], at: 10)
        let other = try LeaseFixtures.lease("10.244.2.0/24", node: 2, revision: 12)
        _ = scene.feed([.lease(other)], at: 12)
        let actions = scene.renewed(5, HolderScene.ttl)
        #expect(actions.contains(.lost(lease.key, newHolder: other)))
        #expect(!actions.contains(.hold(lease)))
        #expect(try #require(actions.claim).key != lease.key)
    }

    @Test func `a reservation for this node is held without a grant and never renewed`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.2.0/24", grant: nil, revision: 3)
        #expect(scene.list([lease], at: 10) == [.hold(lease)])
        #expect(scene.machine.wakeTime == nil)
        #expect(scene.machine.deadline == nil)
        scene.now = scene.now + .seconds(1_000_000)
        #expect(scene.phase == .leased)
    }

    @Test func `a reservation with another announcement is written without a grant, and claimed with one once deleted`()
        throws
    {
        var scene = try HolderScene()
        let reservation = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.2.0/24")),
            announcement: LeaseFixtures.announcement(node: 1, named: false), kind: .reservation,
            createRevision: Revision(3), modRevision: Revision(3))
        let claim = try #require(scene.list([reservation], at: 10).claim)
        #expect(claim.grant == nil)
        #expect(claim.condition == reservation.unchanged)
        // What hangs on no grant is for ever: only an operator makes that.
        #expect(try scene.answer(.conflict([], at: Revision(12))) == [.send(.grant(ttl: HolderScene.ttl))])
        let second = try #require(scene.granted(1).claim)
        #expect(second.key == reservation.key)
        #expect(second.condition == .absent)
    }

    @Test func `an own lease outside the range is released, and another subnet taken`() throws {
        var scene = try HolderScene()
        let lease = try scene.lease("10.244.77.0/24", grant: 5, revision: 3)
        let actions = scene.list([lease], at: 10)
        #expect(
            actions == [
                .report(.unfit(lease.key)), .release(lease), .revoke(GrantID(5)),
                .send(.grant(ttl: HolderScene.ttl)),
            ])
    }

    @Test func `another node under this name, or with this address, ends the program`() throws {
        var second = LeaseFixtures.announcement(node: 2)
        second.node = NodeID("n1")
        var third = LeaseFixtures.announcement(node: 2)
        third.publicIP = LeaseFixtures.publicIP(1)
        for (announcement, shared) in [(second, IdentityConflict.Shared.name), (third, .publicIP)] {
            var scene = try HolderScene()
            let lease = Lease(
                key: SubnetKey(try IPv4Prefix(parsing: "10.244.2.0/24")), announcement: announcement,
                kind: .lease(GrantID(9)), createRevision: Revision(3), modRevision: Revision(3))
            let actions = scene.list([lease], at: 10)
            guard actions.count == 1, case .stop(.identityConflict(let conflict)) = actions[0] else {
                Issue.record("\(actions)")
                continue
            }
            #expect(conflict.lease == lease)
            #expect(conflict.shared == shared)
            #expect(scene.phase == .stopping)
        }
    }

    @Test func `without a config, or with a broken one, the node waits for a good one`() throws {
        var scene = try HolderScene()
        let good = scene.config
        let error = NetworkConfigError(field: "Network", reason: "is missing")
        scene.config = .missing
        #expect(scene.list([], at: 10) == [.report(.configMissing)])
        #expect(scene.read(.invalid(error)) == [.report(.configInvalid(error))])
        #expect(try scene.feed([.lease(LeaseFixtures.lease("10.244.1.0/24", node: 2))], at: 11).isEmpty)
        #expect(scene.phase == .starting)
        #expect(scene.read(good) == [.send(.grant(ttl: HolderScene.ttl))])
        #expect(try #require(scene.granted(1).claim).key.description != "10.244.1.0-24")
    }

    @Test func `a config that goes bad later is reported and changes nothing`() throws {
        var (scene, lease) = try HolderScene.leased()
        #expect(scene.read(.missing) == [.report(.configMissing)])
        #expect(scene.machine.lease == lease)
        #expect(scene.phase == .leased)
    }
}
