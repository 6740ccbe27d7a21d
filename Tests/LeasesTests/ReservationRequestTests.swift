// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct ReservationRequestTests {
    private let config: ConfigReading
    private let key: SubnetKey
    private var table = LeaseTable()

    init() throws {
        config = .valid(try LeaseFixtures.config())
        key = try SubnetKey(parsing: "10.244.9.0-24")
        _ = table.apply(LeaseFixtures.snapshot([try LeaseFixtures.lease("10.244.1.0/24", node: 1)], at: 20))
    }

    private func request(_ node: Int, ip: Int? = nil) -> ReservationRequest {
        ReservationRequest(
            subnet: key.subnet, node: NodeID("n\(node)"), publicIP: LeaseFixtures.publicIP(ip ?? node),
            backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(node)), ipv6: nil))
    }

    private func reservation(_ node: Int, _ subnet: String = "10.244.9.0/24", revision: Int64 = 12) throws -> Lease {
        Lease(
            key: SubnetKey(try IPv4Prefix(parsing: subnet)), announcement: LeaseFixtures.announcement(node: node),
            kind: .reservation, createRevision: Revision(revision), modRevision: Revision(revision))
    }

    private func decide(
        _ request: ReservationRequest, present: Lease? = nil, isNamed: Bool = false
    ) -> ReservationRequest.Decision {
        request.decide(key, present: present, isNamed: isNamed, in: table, config: config)
    }

    @Test func `a free subnet is kept, without a grant and only if it still is free`() {
        guard case .write(let claim) = decide(request(7)) else {
            Issue.record("not written")
            return
        }
        #expect(claim.grant == nil && claim.condition == .absent && claim.known == Revision(20))
    }

    @Test func `asked for twice it is one`() throws {
        let present = try reservation(7)
        #expect(decide(request(7), present: present) == .isThere(present))
        #expect(decide(request(7), present: present, isNamed: true) == .isThere(present))
    }

    @Test func `one that its node has taken, and that says how it is reached, is the same`() throws {
        let present = try reservation(7)
        let short = ReservationRequest(
            subnet: key.subnet, node: NodeID("n7"), publicIP: LeaseFixtures.publicIP(7), backend: nil)
        #expect(decide(short, present: present) == .isThere(present))
        let other = ReservationRequest(
            subnet: key.subnet, node: NodeID("n7"), publicIP: LeaseFixtures.publicIP(7), backend: .hostGateway)
        #expect(decide(other, present: present) == .refused(.reservationDiffers(present)))
    }

    @Test func `another's is changed only by who names its revision`() throws {
        let present = try reservation(6)
        #expect(decide(request(7), present: present) == .refused(.reservationDiffers(present)))
        guard case .write(let claim) = decide(request(7), present: present, isNamed: true) else {
            Issue.record("not written")
            return
        }
        #expect(claim.condition == present.unchanged)
    }

    @Test func `a lease is not made a reservation under its holder`() throws {
        let lease = try LeaseFixtures.lease("10.244.9.0/24", node: 7)
        #expect(decide(request(7), present: lease, isNamed: true) == .refused(.subnetTaken(key, by: lease)))
    }

    @Test func `a name or an address that is another node's is refused; its own lease elsewhere is none`() throws {
        let holder = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        #expect(
            decide(request(1, ip: 7)) == .refused(.identityTaken(IdentityConflict(lease: holder, shared: .name))))
        #expect(
            decide(request(7, ip: 1)) == .refused(.identityTaken(IdentityConflict(lease: holder, shared: .publicIP))))
        guard case .write = decide(request(1)) else {
            Issue.record("the node's own lease is in its way")
            return
        }
    }

    @Test func `a second one for the same node is refused`() throws {
        var table = table
        let first = try reservation(7, "10.244.5.0/24")
        _ = table.apply([.lease(first)], at: Revision(21))
        #expect(
            request(7).decide(key, present: nil, isNamed: false, in: table, config: config)
                == .refused(.hasReservation(first)))
    }

    @Test func `what turned up meanwhile, and is older, stands`() throws {
        let mine = try reservation(7, revision: 23)
        let twin = try reservation(7, "10.244.5.0/24", revision: 22)
        #expect(request(7).contradiction(of: mine, among: [.lease(twin)]) == .hasReservation(twin))
        let block = try reservation(8, "10.244.8.0/23", revision: 22)
        #expect(request(7).contradiction(of: mine, among: [.lease(block)]) == .subnetTaken(block.key, by: block))
        #expect(request(7).contradiction(of: mine, among: [.lease(mine)]) == nil)
    }
}
