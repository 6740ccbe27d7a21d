// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// A node starts, and its subnet file names 10.244.2.0/24 from when it last ran.
@Suite struct LeaseHolderWishTests {
    private let key: SubnetKey

    init() throws { key = try SubnetKey(parsing: "10.244.2.0-24") }

    private func forgone(_ actions: [LeaseHolderAction]) -> [SubnetKey] {
        actions.compactMap { if case .forgo(let key) = $0 { key } else { nil } }
    }

    @Test(arguments: [true, false])
    func `what another took while the node was down is forgone at once`(isRemembered: Bool) throws {
        let text = "10.244.2.0-24"
        var scene = try HolderScene(remembered: isRemembered ? text : nil, preferred: text)
        let actions = scene.list([try scene.rival("10.244.2.0/24", revision: 5)], at: 10)
        #expect(actions == [.forgo(key), .send(.grant(ttl: HolderScene.ttl))])
    }

    @Test func `so is what a wider lease covers, and what the config does not give out`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        #expect(forgone(scene.list([try scene.rival("10.244.2.0/23", revision: 5)], at: 10)) == [key])
        var other = try HolderScene(preferred: "10.244.2.0-24", min: "10.244.3.0")
        #expect(forgone(other.list([], at: 10)) == [key])
    }

    @Test func `what is free or the node's own is not`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        #expect(scene.list([], at: 10) == [.send(.grant(ttl: HolderScene.ttl))])
        var again = try HolderScene(remembered: "10.244.2.0-24", preferred: "10.244.2.0-24")
        let own = try again.lease("10.244.2.0/24", grant: 5, revision: 8)
        #expect(again.list([own], at: 10) == [.send(.renew(GrantID(5)))])
    }

    @Test func `nor is the IPv4 half of an own lease of both, which a host without IPv6 was told of alone`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        scene.config = .valid(try LeaseFixtures.config(ipv6: "fd00:10:244::/56"))
        let own = try LeaseFixtures.dualLease("10.244.2.0/24", "fd00:10:244:1::/64", node: 1)
        #expect(forgone(scene.list([own], at: 10)) == [])
    }

    @Test func `a subnet that another claims first is forgone`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        _ = scene.list([], at: 10)
        #expect(try #require(scene.granted(1).claim).key == key)
        let other = try scene.rival("10.244.2.0/24", revision: 11)
        #expect(forgone(try scene.answer(.conflict([.lease(other)], at: Revision(11)))) == [key])
    }

    @Test func `without a config only what is another's is`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        scene.config = .missing
        #expect(forgone(scene.list([], at: 10)) == [])
        #expect(forgone(scene.list([try scene.rival("10.244.2.0/24", revision: 11)], at: 11)) == [key])
    }

    @Test func `a namesake that was here first is told of after that`() throws {
        var scene = try HolderScene(preferred: "10.244.2.0-24")
        let twin = try scene.rival("10.244.2.0/24", name: "n1", revision: 5)
        let actions = scene.list([twin], at: 10)
        #expect(actions.first == .forgo(key))
        #expect(actions.last == .stop(.identityConflict(IdentityConflict(lease: twin, shared: .name))))
    }
}
