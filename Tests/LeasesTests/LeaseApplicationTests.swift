// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// A request for a lease at an authority, by values alone.
@Suite struct LeaseApplicationTests {
    private let config: NetworkConfig
    private var table = LeaseTable()

    init() throws {
        config = try LeaseFixtures.config()
        _ = table.apply(
            LeaseFixtures.snapshot(
                [
                    try LeaseFixtures.lease("10.244.1.0/24", node: 1),
                    try LeaseFixtures.lease("10.244.2.0/24", node: 2),
                    try Self.reservation("10.244.3.0/24", node: 3),
                ], at: 20))
    }

    private static func reservation(_ subnet: String, node: Int, revision: Int64 = 10) throws -> Lease {
        let lease = try LeaseFixtures.lease(subnet, node: node)
        return Lease(
            key: lease.key, announcement: lease.announcement, kind: .reservation, createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    private func wish(_ node: Int, ip: Int? = nil, subnet: String? = nil) throws -> LeaseApplication.Wish {
        LeaseApplication.Wish(
            node: NodeID("n\(node)"), publicIP: LeaseFixtures.publicIP(ip ?? node),
            subnet: try subnet.map { try IPv4Prefix(parsing: $0) }, ttl: .seconds(60))
    }

    private let grant = Grant(id: GrantID(77), ttl: .seconds(60))

    /// The claim that an application makes first.
    private func claim(_ application: inout LeaseApplication, in table: LeaseTable? = nil) throws -> LeaseClaim {
        #expect(application.start(in: table ?? self.table, config: .valid(config)) == .grant(ttl: .seconds(60)))
        guard case .issue(let claim) = application.granted(grant) else { throw NoClaim() }
        return claim
    }

    private struct NoClaim: Error {}

    private func lease(_ claim: LeaseClaim, at revision: Int64 = 21) -> Lease {
        Lease(
            key: claim.key, announcement: claim.announcement,
            kind: claim.grant.map(Lease.Kind.lease) ?? .reservation, createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    @Test func `a free subnet that was never used is claimed under the condition that nobody has it`() throws {
        var application = LeaseApplication(try wish(9))
        let claim = try claim(&application)
        #expect(claim.condition == .absent && claim.reuse == .never && claim.grant == grant.id)
        #expect(claim.known == Revision(20) && config.admits(claim.key))
        #expect(claim.announcement.node == NodeID("n9") && claim.announcement.backend == .other("alloc"))
        let lease = lease(claim)
        let step = application.answered(.issued(lease, meanwhile: [], at: Revision(21)), in: table)
        #expect(step == .leased(lease) && application.unused.isEmpty)
    }

    @Test func `without a network config nothing is leased`() throws {
        var application = LeaseApplication(try wish(9))
        #expect(application.start(in: table, config: .missing) == .refused(.noConfig(.missing)))
    }

    @Test func `a node that has a lease is told of it`() throws {
        var application = LeaseApplication(try wish(1))
        let held = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        #expect(application.start(in: table, config: .valid(config)) == .refused(.hasLease(held)))
    }

    @Test(arguments: [(1, 8, IdentityConflict.Shared.name), (8, 1, .publicIP)])
    func `a name and a public address belong to one node`(
        node: Int, ip: Int, shared: IdentityConflict.Shared
    ) throws {
        var application = LeaseApplication(try wish(node, ip: ip))
        let holder = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let conflict = IdentityConflict(lease: holder, shared: shared)
        #expect(application.start(in: table, config: .valid(config)) == .refused(.identityTaken(conflict)))
    }

    @Test func `a node gets the subnet that is kept for it, and nobody else does`() throws {
        var application = LeaseApplication(try wish(3))
        let reserved = try Self.reservation("10.244.3.0/24", node: 3)
        #expect(application.start(in: table, config: .valid(config)) == .prove(reserved))
        let proof = LeaseProof(lease: reserved, token: nil)
        guard case .issue(let claim) = application.proven(proof, by: try Self.token(1)) else {
            Issue.record("no claim")
            return
        }
        #expect(claim.key.description == "10.244.3.0-24" && claim.grant == nil)
        #expect(claim.condition == .unchanged(since: Revision(10), as: .reservation))
        #expect(claim.announcement == reserved.announcement, "what is not asked for stays")
        var other = LeaseApplication(try wish(9, subnet: "10.244.3.0/24"))
        #expect(
            other.start(in: table, config: .valid(config)) == .refused(.subnetTaken(reserved.key, by: reserved)))
        var wrong = LeaseApplication(try wish(3, subnet: "10.244.9.0/24"))
        #expect(wrong.start(in: table, config: .valid(config)) == .refused(.hasReservation(reserved)))
    }

    private static func token(_ number: UInt8) throws -> TokenDigest {
        try #require(TokenDigest([UInt8](repeating: number, count: 32)))
    }

    @Test func `a reservation in use is told to who proves it, and taken from nobody`() throws {
        let reserved = try Self.reservation("10.244.3.0/24", node: 3)
        func step(_ token: UInt8?, mac: Int? = nil, _ proof: LeaseProof? = nil) throws -> LeaseApplication.Step {
            var wish = try wish(3)
            wish.backend = mac.map {
                .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac($0)), ipv6: nil)
            }
            var application = LeaseApplication(wish)
            _ = application.start(in: table, config: .valid(config))
            let digest = try token.map { try Self.token($0) }
            return application.proven(proof ?? LeaseProof(lease: reserved, token: digest), by: try Self.token(1))
        }
        #expect(try step(1) == .leased(reserved))
        #expect(try step(2) == .refused(.hasLease(reserved)))
        // The node itself has taken it: its VTEP's address is in it.
        #expect(try step(nil, mac: 4) == .refused(.hasLease(reserved)))
        guard case .issue = try step(nil, mac: 3) else {
            Issue.record("its own VTEP is in its way")
            return
        }
        let other = LeaseProof(lease: try Self.reservation("10.244.3.0/24", node: 5), token: nil)
        #expect(try step(nil, other) == .refused(.contended))
    }

    @Test func `a reservation that the config or another lease does not allow is not taken`() throws {
        let reserved = try Self.reservation("10.244.3.0/24", node: 3)
        var application = LeaseApplication(try wish(3))
        let elsewhere = try LeaseFixtures.config(network: "10.99.0.0/16")
        #expect(application.start(in: table, config: .valid(elsewhere)) == .refused(.notGivenOut(reserved.key)))
        var overlapped = table
        let block = try Self.reservation("10.244.2.0/23", node: 8)
        _ = overlapped.apply([.lease(block)], at: Revision(21))
        #expect(
            application.start(in: overlapped, config: .valid(config))
                == .refused(.subnetTaken(block.key, by: block)))
    }

    @Test func `a subnet that is in hand for another is avoided, and refused to nobody`() throws {
        let key = try SubnetKey(parsing: "10.244.9.0-24")
        var certain = LeaseApplication(try wish(9, subnet: "10.244.9.0/24"))
        #expect(certain.start(in: table, config: .valid(config), inHand: [key]) == .grant(ttl: .seconds(60)))
        let small = try LeaseFixtures.config(network: "10.244.0.0/22", subnetLength: 24, min: "10.244.2.0")
        var free = LeaseTable()
        _ = free.apply(LeaseFixtures.snapshot([], at: 20))
        let all = try ["10.244.2.0-24", "10.244.3.0-24"].map { try SubnetKey(parsing: $0) }
        for hand in [Array(all.prefix(1)), Array(all.suffix(1)), all] {
            var any = LeaseApplication(try wish(9))
            #expect(any.start(in: free, config: .valid(small), inHand: hand) == .grant(ttl: .seconds(60)))
            guard case .issue(let claim) = any.granted(grant) else {
                Issue.record("no claim")
                return
            }
            #expect(hand.count == 2 || !hand.contains(claim.key))
        }
    }

    @Test func `a subnet that the network does not give out is refused`() throws {
        for subnet in ["10.99.0.0/24", "10.244.0.0/23", "10.244.0.0/24"] {
            var application = LeaseApplication(try wish(9, subnet: subnet))
            let key = SubnetKey(try IPv4Prefix(parsing: subnet))
            #expect(application.start(in: table, config: .valid(config)) == .refused(.notGivenOut(key)))
        }
    }

    @Test func `what others took meanwhile is left to them, and the same grant is used for the next try`() throws {
        var application = LeaseApplication(try wish(9))
        let first = try claim(&application)
        let rival = Lease(
            key: first.key, announcement: LeaseFixtures.announcement(node: 8), kind: .lease(GrantID(5)),
            createRevision: Revision(22), modRevision: Revision(22))
        let step = application.answered(.refused(.conflict([.lease(rival)], at: Revision(23))), in: table)
        guard case .issue(let second) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(second.key != first.key && second.grant == grant.id && second.known == Revision(23))
        var choosy = LeaseApplication(try wish(9, subnet: "\(first.key.subnet)"))
        _ = try claim(&choosy)
        #expect(
            choosy.answered(.refused(.conflict([.lease(rival)], at: Revision(23))), in: table)
                == .refused(.subnetTaken(rival.key, by: rival)))
        #expect(choosy.unused == [grant.id])
    }

    @Test func `the same node's other lease, older by a moment, stands, and this one's grant is ended`() throws {
        var application = LeaseApplication(try wish(9))
        let claim = try claim(&application)
        let twin = Lease(
            key: try SubnetKey(parsing: "10.244.77.0-24"), announcement: LeaseFixtures.announcement(node: 9),
            kind: .lease(GrantID(5)), createRevision: Revision(21), modRevision: Revision(21))
        let step = application.answered(
            .issued(lease(claim, at: 22), meanwhile: [.lease(twin)], at: Revision(22)), in: table)
        #expect(step == .refused(.hasLease(twin)) && application.unused == [grant.id])
    }

    @Test func `a block over the subnet, older by a moment, stands, and another subnet is chosen`() throws {
        var application = LeaseApplication(try wish(9))
        let first = try claim(&application)
        let bits = first.key.subnet.address.bits & 0xFFFF_FE00
        let block = Lease(
            key: SubnetKey(try #require(IPv4Prefix(IPv4Address(bits: bits), length: 23))),
            announcement: LeaseFixtures.announcement(node: 8), kind: .reservation, createRevision: Revision(21),
            modRevision: Revision(21))
        let step = application.answered(
            .issued(lease(first, at: 22), meanwhile: [.lease(block)], at: Revision(22)), in: table)
        #expect(step == .grant(ttl: .seconds(60)) && application.unused == [grant.id])
        guard case .issue(let second) = application.granted(Grant(id: GrantID(78), ttl: .seconds(60))) else {
            Issue.record("no claim")
            return
        }
        #expect(!second.key.overlaps(block.key))
    }

    @Test func `of an answer from a restored etcd, older than what is known, nothing is believed`() throws {
        var application = LeaseApplication(try wish(9))
        let claim = try claim(&application)
        let step = application.answered(.issued(lease(claim, at: 12), meanwhile: [], at: Revision(12)), in: table)
        #expect(step == .refused(.contended) && application.unused == [grant.id])
    }

    @Test func `a grant that is gone is replaced`() throws {
        var application = LeaseApplication(try wish(9))
        _ = try claim(&application)
        #expect(application.answered(.refused(.grantGone), in: table) == .grant(ttl: .seconds(60)))
    }

    @Test func `a full range is said to be full, and the one freed longest ago is the last to go`() throws {
        let small = try LeaseFixtures.config(network: "10.244.0.0/22", subnetLength: 24, min: "10.244.1.0")
        var application = LeaseApplication(try wish(9))
        #expect(
            application.start(in: table, config: .valid(small)) == .refused(.rangeFull(taken: 3, size: 3)))
        var free = LeaseTable()
        _ = free.apply(LeaseFixtures.snapshot([try LeaseFixtures.lease("10.244.1.0/24", node: 1)], at: 20))
        var last = LeaseApplication(try wish(9))
        #expect(last.start(in: free, config: .valid(small)) == .grant(ttl: .seconds(60)))
        guard case .issue = last.granted(grant) else {
            Issue.record("no claim")
            return
        }
        let holders = ["10.244.3.0-24", "10.244.2.0-24"].compactMap { try? SubnetKey(parsing: $0) }
            .map { SubnetPast.Holder(key: $0, node: NodeID("x")) }
        let step = last.answered(
            .refused(.usedBefore(SubnetPast(holders: holders, count: 2), [], at: Revision(21))), in: free)
        guard case .issue(let claim) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(claim.key.description == "10.244.3.0-24" && claim.reuse == .allowed)
    }

    @Test func `a digest matches itself and nothing else`() throws {
        let one = try #require(TokenDigest((0..<32).map { UInt8($0) }))
        #expect(one.matches(one))
        for place in 0..<32 {
            var bytes = one.bytes
            bytes[place] ^= 1
            #expect(!one.matches(try #require(TokenDigest(bytes))))
        }
        #expect(TokenDigest([1, 2, 3]) == nil)
    }
}
