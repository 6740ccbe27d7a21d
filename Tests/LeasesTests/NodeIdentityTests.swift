// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Whose a lease is: this node is `n1` at 192.168.0.1 with MAC 1, and remembers 10.244.9.0/24.
@Suite struct NodeIdentityTests {
    private let identity: NodeIdentity

    init() throws {
        identity = NodeIdentity(
            node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1),
            remembered: SubnetKey(try IPv4Prefix(parsing: "10.244.9.0/24")),
            preferred: SubnetKey(try IPv4Prefix(parsing: "10.244.8.0/24")), mac: LeaseFixtures.mac(1))
    }

    enum Verdict: Sendable {
        case own, conflict(IdentityConflict.Shared), none
    }

    /// A lease of 10.244.9.0/24 (remembered) or 10.244.8.0/24 that bears what the arguments say.
    struct Case: Sendable, CustomTestStringConvertible {
        /// `nil`: flannel's, without a name.
        let name: String?
        let address: Int
        /// `nil`: the lease says none.
        let mac: Int?
        let isRemembered: Bool
        let verdict: Verdict

        var testDescription: String {
            "\(name ?? "unnamed") at .\(address), MAC \(mac.map(String.init) ?? "none"), \(isRemembered ? "remembered" : "unknown") subnet"
        }

        func lease(revision: Int64 = 5) throws -> Lease {
            Lease(
                key: SubnetKey(try IPv4Prefix(parsing: isRemembered ? "10.244.9.0/24" : "10.244.8.0/24")),
                announcement: LeaseAnnouncement(
                    node: name.map(NodeID.init), owner: name == nil ? .unnamed : .tartan,
                    publicIP: LeaseFixtures.publicIP(address),
                    backend: .vxlan(
                        ipv4: mac.map { VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac($0)) }, ipv6: nil)),
                kind: .lease(GrantID(1)), createRevision: Revision(revision), modRevision: Revision(revision))
        }
    }

    static let cases = [
        // Name and address: nothing else matters.
        Case(name: "n1", address: 1, mac: 1, isRemembered: false, verdict: .own),
        Case(name: "n1", address: 1, mac: 7, isRemembered: false, verdict: .own),
        // The name with another address: something remembered must say so.
        Case(name: "n1", address: 2, mac: 1, isRemembered: false, verdict: .own),
        Case(name: "n1", address: 2, mac: nil, isRemembered: true, verdict: .own),
        // A namesake chooses by the same name's hash, and so the same subnet: what is remembered is no proof then.
        Case(name: "n1", address: 2, mac: 7, isRemembered: true, verdict: .conflict(.name)),
        Case(name: "n1", address: 2, mac: 7, isRemembered: false, verdict: .conflict(.name)),
        // The address under another name: the same.
        Case(name: "n2", address: 1, mac: 1, isRemembered: false, verdict: .own),
        Case(name: "n2", address: 1, mac: nil, isRemembered: true, verdict: .own),
        Case(name: "n2", address: 1, mac: 7, isRemembered: true, verdict: .conflict(.publicIP)),
        Case(name: "n2", address: 1, mac: 7, isRemembered: false, verdict: .conflict(.publicIP)),
        // flannel's: the address decides, or the remembered subnet with the MAC.
        Case(name: nil, address: 1, mac: 7, isRemembered: false, verdict: .own),
        Case(name: nil, address: 2, mac: 1, isRemembered: true, verdict: .own),
        Case(name: nil, address: 2, mac: 7, isRemembered: true, verdict: .none),
        Case(name: nil, address: 2, mac: 1, isRemembered: false, verdict: .none),
        // Others', also where they sit on the subnet that this node had once.
        Case(name: "n2", address: 2, mac: 2, isRemembered: false, verdict: .none),
        Case(name: "n2", address: 2, mac: 2, isRemembered: true, verdict: .none),
        Case(name: "n2", address: 2, mac: 1, isRemembered: true, verdict: .none),
    ]

    @Test(arguments: cases) func `a lease is judged`(_ item: Case) throws {
        let lease = try item.lease()
        switch (identity.find(in: [lease]), item.verdict) {
        case (.own(let found), .own): #expect(found == lease)
        case (.none, .none): break
        case (.conflict(let conflict), .conflict(let shared)):
            #expect(conflict.lease == lease)
            #expect(conflict.shared == shared)
        case (let found, _): Issue.record("\(found)")
        }
    }

    @Test func `the better proof wins, in whatever order the leases come`() throws {
        let byBoth = try Case(name: "n1", address: 1, mac: 7, isRemembered: false, verdict: .own).lease(revision: 9)
        let byName = try Case(name: "n1", address: 2, mac: 1, isRemembered: true, verdict: .own).lease(revision: 5)
        #expect(identity.find(in: [byBoth, byName]) == .own(byBoth))
        #expect(identity.find(in: [byName, byBoth]) == .own(byBoth))
    }

    @Test func `of two that are equally proven the older one wins`() throws {
        let older = try Case(name: "n1", address: 1, mac: 7, isRemembered: true, verdict: .own).lease(revision: 5)
        let newer = try Case(name: "n1", address: 1, mac: 7, isRemembered: false, verdict: .own).lease(revision: 6)
        #expect(identity.find(in: [newer, older]) == .own(older))
        #expect(identity.find(in: [older, newer]) == .own(older))
    }

    @Test func `an own lease that is older than a conflict outweighs it; a younger one yields to the oldest`() throws {
        let own = { try Case(name: "n1", address: 1, mac: 1, isRemembered: true, verdict: .own).lease(revision: $0) }
        let name = Case(name: "n1", address: 2, mac: 7, isRemembered: false, verdict: .conflict(.name))
        let address = Case(name: "n3", address: 1, mac: 7, isRemembered: false, verdict: .conflict(.publicIP))
        let (older, newer) = (try name.lease(revision: 2), try address.lease(revision: 4))
        #expect(identity.find(in: [older, try own(1), newer]) == .own(try own(1)))
        for leases in [[older, newer], [newer, older], [newer, try own(3), older]] {
            guard case .conflict(let conflict) = identity.find(in: leases) else {
                Issue.record("no conflict")
                continue
            }
            #expect(conflict.lease == older)
        }
    }

    @Test func `a node that took a new address which another has already does not start, however old its lease`() throws
    {
        let own = try Case(name: "n1", address: 2, mac: 1, isRemembered: true, verdict: .own).lease(revision: 1)
        let other = try Case(name: "n3", address: 1, mac: 7, isRemembered: false, verdict: .none).lease(revision: 4)
        #expect(identity.find(in: [own]) == .own(own))
        #expect(
            identity.find(in: [own, other]) == .conflict(IdentityConflict(lease: other, shared: .publicIP)))
    }

    @Test func `a reservation that names the node is its own wherever it is, until somebody has taken it`() throws {
        func reservation(_ owner: LeaseAnnouncement.Owner, address: Int?) throws -> Lease {
            var announcement = LeaseFixtures.announcement(node: 7)
            announcement.node = NodeID("n1")
            announcement.owner = owner
            announcement.publicIP = address.map(LeaseFixtures.publicIP) ?? IPv4Address(bits: 0)
            return Lease(
                key: SubnetKey(try IPv4Prefix(parsing: "10.244.8.0/24")), announcement: announcement,
                kind: .reservation, createRevision: Revision(1), modRevision: Revision(1))
        }
        for lease in [try reservation(.unnamed, address: 5), try reservation(.tartan, address: nil)] {
            #expect(identity.find(in: [lease]) == .own(lease))
        }
        guard case .conflict = identity.find(in: [try reservation(.tartan, address: 5)]) else {
            Issue.record("a reservation that a namesake holds was taken")
            return
        }
        var announcement = try reservation(.tartan, address: nil).announcement
        announcement.publicIPv6 = LeaseFixtures.publicIPv6(5)
        let taken = Lease(
            key: SubnetKey(ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:1::/64")), announcement: announcement,
            kind: .reservation, createRevision: Revision(1), modRevision: Revision(1))
        guard case .conflict = identity.find(in: [taken]) else {
            Issue.record("a reservation that a namesake without IPv4 holds was taken")
            return
        }
    }

    @Test func `a lease in use goes before a reservation for the node, whatever speaks for either`() throws {
        let lease = try Case(name: "n1", address: 2, mac: 1, isRemembered: true, verdict: .own).lease(revision: 9)
        let reservation = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.8.0/24")),
            announcement: LeaseFixtures.announcement(node: 1), kind: .reservation, createRevision: Revision(2),
            modRevision: Revision(2))
        #expect(identity.find(in: [reservation, lease]) == .own(lease))
        #expect(identity.find(in: [reservation]) == .own(reservation))
    }

    @Test func `a preferred subnet proves nothing`() throws {
        let lease = try LeaseFixtures.lease("10.244.8.0/24", node: 2)
        #expect(identity.find(in: [lease]) == .none)
    }

    @Test func `a node without memory goes by name and address only`() throws {
        let bare = NodeIdentity(node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1))
        let both = try Case(name: "n1", address: 1, mac: 1, isRemembered: true, verdict: .own).lease()
        #expect(bare.find(in: [both]) == .own(both))
        let moved = try Case(name: "n1", address: 2, mac: 1, isRemembered: true, verdict: .own).lease()
        guard case .conflict(let conflict) = bare.find(in: [moved]) else {
            Issue.record("a lease of a namesake was taken")
            return
        }
        #expect(conflict.shared == .name)
    }

    @Test func `the MAC of either family is proof`() throws {
        var announcement = LeaseFixtures.announcement(node: 2)
        announcement.node = NodeID("n1")
        announcement.backend = .vxlan(ipv4: nil, ipv6: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(1)))
        let lease = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.8.0/24")), announcement: announcement, kind: .reservation,
            createRevision: Revision(1), modRevision: Revision(1))
        #expect(identity.find(in: [lease]) == .own(lease))
    }

    @Test(arguments: [
        (
            Case(name: "n1", address: 2, mac: 7, isRemembered: false, verdict: .conflict(.name)),
            "node 'n1' at 192.168.0.2 already holds 10.244.8.0/24 under this node's name; give this one another "
                + "--node-name, or release that lease if the node is gone"
        ),
        (
            Case(name: "n2", address: 1, mac: 7, isRemembered: false, verdict: .conflict(.publicIP)),
            "node 'n2' already holds 10.244.8.0/24 with this node's public address 192.168.0.1; give this one "
                + "another --public-ip, or release that lease if the node is gone"
        ),
    ])
    func `a conflict says who, what and what to do`(item: Case, text: String) throws {
        guard case .conflict(let conflict) = identity.find(in: [try item.lease()]) else {
            Issue.record("no conflict")
            return
        }
        #expect(conflict.description == text)
    }
}
