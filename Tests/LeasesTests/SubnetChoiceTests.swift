// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Which subnet comes next: of 10.244.1.0/24 to 10.244.8.0/24.
@Suite struct SubnetChoiceTests {
    private let config: NetworkConfig
    private let node = NodeID("n1")

    init() throws { config = try LeaseFixtures.config(min: "10.244.1.0", max: "10.244.8.0") }

    private func key(_ number: Int) -> SubnetKey {
        SubnetKey(IPv4Prefix(IPv4Address(10, 244, UInt8(number), 0), length: 24)!)
    }

    private func past(_ numbers: [Int], mine: Int? = nil, count: Int? = nil) -> SubnetPast {
        SubnetPast(
            holders: numbers.map { .init(key: key($0), node: $0 == mine ? node : NodeID("other")) },
            count: count ?? numbers.count)
    }

    private func pick(
        wishes: [Int] = [], past: SubnetPast? = nil, refusals: Int = 0, taken: [Int] = []
    ) -> SubnetChoice.Pick? {
        SubnetChoice(node: node, wishes: wishes.map(key), past: past, refusals: refusals)
            .pick(in: config, taken: taken.map(key))
    }

    @Test func `a subnet that the node itself had is asked for whatever became of it meanwhile`() {
        #expect(pick(wishes: [3, 4]) == .init(key: key(3), reuse: .allowed))
        #expect(pick(wishes: [3, 4], taken: [3]) == .init(key: key(4), reuse: .allowed))
    }

    @Test func `a first choice is to be one that nobody ever had`() throws {
        let first = try #require(pick())
        #expect(first.reuse == .never)
        #expect(pick(taken: [1, 2, 3, 4, 5, 6, 7, 8]) == nil)
    }

    @Test func `what the notes say that this node had comes before all others`() {
        #expect(pick(past: past([1, 2, 3], mine: 2), refusals: 1) == .init(key: key(2), reuse: .allowed))
        // Unless it is somebody's now.
        #expect(pick(past: past([1, 2, 3], mine: 2), refusals: 1, taken: [2])?.reuse == .never)
    }

    @Test func `a used subnet is asked for only when none is left that never was`() throws {
        let next = try #require(pick(past: past([1, 2, 3, 4, 5, 6, 7]), refusals: 1))
        #expect(next == .init(key: key(8), reuse: .never))
    }

    @Test func `of used ones the one that was freed longest ago comes first`() {
        let all = [5, 3, 8, 1, 2, 4, 6, 7]
        #expect(pick(past: past(all), refusals: 1) == .init(key: key(5), reuse: .allowed))
        #expect(pick(past: past(all), refusals: 1, taken: [5, 3]) == .init(key: key(8), reuse: .allowed))
    }

    @Test func `the search for an unused one ends, also where only some of the used ones are told`() throws {
        var refusals = 0
        var told: Set<Int> = [1]
        while let next = pick(past: past(told.sorted(), count: 8), refusals: refusals), next.reuse == .never {
            told.insert(Int(next.key.subnet.address.bits >> 8 & 0xFF))
            refusals += 1
            try #require(refusals < 10)
        }
        #expect(refusals == 3)
    }

    @Test func `a claim that met a used subnet goes on under its grant, and a new holder is not taken for an old one`()
        throws
    {
        var scene = try HolderScene()
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let first = try #require(scene.claim)
        #expect(first.reuse == .never)
        let used = SubnetPast(holders: [.init(key: first.key, node: NodeID("n9"))], count: 1)
        let second = try #require(try scene.answer(.usedBefore(used, [], at: Revision(12))).claim)
        #expect(second.key != first.key)
        #expect((second.reuse, second.grant, second.known) == (.never, GrantID(1), Revision(12)))
        // Its own from before: a second request, and the subnet that it had.
        let own = SubnetPast(holders: [.init(key: second.key, node: NodeID("n1"))], count: 2)
        let third = try #require(try scene.answer(.usedBefore(own, [], at: Revision(12))).claim)
        #expect((third.key, third.reuse) == (second.key, .allowed))
    }

    @Test func `nodes that come and go are given fresh subnets while there are any, then the oldest`() async throws {
        let store = InMemoryLeaseStore(config: .valid(config))
        var freed: [SubnetKey] = []
        for number in 0..<24 {
            let node = NodeID("visitor-\(number)")
            var past: SubnetPast?
            var refusals = 0
            let grant = try await store.grant(ttl: .seconds(60))
            var lease: Lease?
            while lease == nil {
                let pick = try #require(
                    SubnetChoice(node: node, wishes: [], past: past, refusals: refusals)
                        .pick(in: config, taken: store.leases.map(\.key)))
                let announcement = LeaseFixtures.announcement(node: number)
                let claim = LeaseClaim(
                    key: pick.key, announcement: announcement, grant: grant.id, condition: .absent, known: .zero,
                    reuse: pick.reuse)
                switch try await store.commit(claim) {
                case .claimed(let claimed): lease = claimed
                case .usedBefore(let told, _, _):
                    past = told.adding(past)
                    refusals += 1
                    try #require(refusals < 5)
                case .conflict, .grantGone: Issue.record("nobody else claims")
                }
            }
            let held = try #require(lease)
            if freed.count < 8 {
                #expect(!freed.contains(held.key))
            } else {
                #expect(held.key == freed[freed.count - 8])
            }
            _ = try await store.release(held)
            try await store.noteFreed(held)
            freed.append(held.key)
        }
    }
}
