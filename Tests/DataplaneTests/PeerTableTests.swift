// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct PeerTableTests {
    private var local: LocalNode<IPv4Address> {
        LocalNode(
            node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(200), key: nil, backend: .vxlan(VXLANConfig()),
            usesNextHops: true)
    }

    private func plan(_ table: inout PeerTable<IPv4Address>) -> [String] {
        let plan = table.tracker.plan(removing: true)
        for operation in plan { table.tracker.done(operation) }
        return plan.map(\.description).sorted()
    }

    @Test func `when the loser goes, the winner's entries stay, and no operation is needed`() throws {
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        let winner = try LeaseFixtures.lease("10.244.20.0/24", node: 2, revision: 5)
        let loser = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.30.0/24")),
            announcement: LeaseAnnouncement(
                node: NodeID("n3"), owner: .tartan, publicIP: LeaseFixtures.publicIP(3),
                backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(2)), ipv6: nil)),
            kind: .reservation, createRevision: Revision(6), modRevision: Revision(6))
        table.set(winner, for: winner.key, &faults)
        #expect(plan(&table).count == 4)
        table.set(loser, for: loser.key, &faults)
        #expect(
            faults[loser.key]??.description
                == "its VTEP MAC 02:00:00:00:00:02 is also that of 10.244.20.0-24, whose lease is older")
        #expect(plan(&table) == [])
        faults = [:]
        table.set(nil, for: loser.key, &faults)
        #expect(plan(&table) == [] && faults == [loser.key: nil])
    }

    @Test func `a network that the underlay has lost takes its direct routes with it`() throws {
        func node(_ networks: [String]) throws -> LocalNode<IPv4Address> {
            LocalNode(
                node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(200), key: nil,
                backend: .vxlan(VXLANConfig(directRouting: true)), usesNextHops: false,
                networks: try networks.map { try IPv4Prefix(parsing: $0) })
        }
        var table = PeerTable(local: try node(["192.168.0.0/24"]))
        var faults: PeerFaults<IPv4Address> = [:]
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2)
        table.set(lease, for: lease.key, &faults)
        #expect(plan(&table) == ["add route 10.244.20.0/24 via 192.168.0.2 dev underlay onlink"])
        let without = try node([])
        #expect(table.setLocal(without, leases: [lease], &faults))
        #expect(
            plan(&table) == [
                "replace route 10.244.20.0/24 via 10.244.20.0 dev vxlan onlink",
                "set fdb 02:00:00:00:00:02 dst 192.168.0.2", "set neighbour 10.244.20.0 lladdr 02:00:00:00:00:02",
            ])
    }

    @Test func `of a lease with which nothing is or was wrong there is nothing to be told`() throws {
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2, revision: 5)
        table.set(lease, for: lease.key, &faults)
        #expect(plan(&table).count == 4 && faults == [:])
    }

    @Test func `when the winner goes, the loser comes in and is a fault no more`() throws {
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        let winner = try LeaseFixtures.lease("10.244.20.0/24", node: 2, revision: 5)
        let loser = try LeaseFixtures.lease("10.244.16.0/20", node: 3, revision: 6)
        for lease in [winner, loser] { table.set(lease, for: lease.key, &faults) }
        #expect(plan(&table).count == 4)
        #expect(faults[loser.key]??.description == "its subnet overlaps 10.244.20.0-24, whose lease is older")
        faults = [:]
        table.set(nil, for: winner.key, &faults)
        #expect(faults == [winner.key: nil, loser.key: nil])
        #expect(table.tracker.routes.wanted(loser.subnet) != nil && table.tracker.wantedCount == 4)
    }

    @Test func `the own subnet and the host's addresses are never routed away, however old the other lease`() throws {
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        let leases = [
            try LeaseFixtures.lease("10.244.20.0/24", node: 2, revision: 1),
            try LeaseFixtures.lease("172.16.0.0/24", node: 3, revision: 2),
            try LeaseFixtures.lease("10.244.40.0/24", node: 4, revision: 3),
        ]
        for lease in leases { table.set(lease, for: lease.key, &faults) }
        #expect(table.tracker.wantedCount == 12)
        var changed = local
        changed.key = SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/25"))
        changed.addresses = [IPv4Address(172, 16, 0, 7), LeaseFixtures.publicIP(4)]
        faults = [:]
        #expect(!table.setLocal(changed, leases: leases, &faults))
        #expect(
            faults.mapValues { $0?.description ?? "" } == [
                leases[0].key: "it overlaps this node's own subnet 10.244.20.0/25",
                leases[1].key: "its subnet holds 172.16.0.7, which is an address of this host",
                leases[2].key: "its public address 192.168.0.4 is this node's",
            ])
        #expect(table.tracker.wantedCount == 0)
        faults = [:]
        table.setLocal(local, leases: leases, &faults)
        #expect(table.tracker.wantedCount == 12 && faults.allSatisfy { $0.value == nil })
    }

    @Test func `of two leases of one node the younger says where it is, in whatever order they come`() throws {
        let old = try LeaseFixtures.lease("10.244.1.0/24", node: 2, revision: 5)
        let moved = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.2.0/24")),
            announcement: LeaseAnnouncement(
                node: NodeID("n2"), owner: .tartan, publicIP: LeaseFixtures.publicIP(77),
                backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(2)), ipv6: nil)),
            kind: .reservation, createRevision: Revision(6), modRevision: Revision(6))
        for order in [[old, moved], [moved, old]] {
            var table = PeerTable(local: local)
            var faults: PeerFaults<IPv4Address> = [:]
            for lease in order { table.set(lease, for: lease.key, &faults) }
            #expect(table.tracker.fdb.wanted(LeaseFixtures.mac(2)) == LeaseFixtures.publicIP(77))
            #expect(table.tracker.wantedCount == 7, "two subnets, one VTEP")
            table.set(nil, for: moved.key, &faults)
            #expect(table.tracker.fdb.wanted(LeaseFixtures.mac(2)) == LeaseFixtures.publicIP(2))
        }
    }

    @Test func `another backend means all anew, and back again nothing is left over`() throws {
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2)
        table.set(lease, for: lease.key, &faults)
        _ = plan(&table)
        var other = local
        other.backend = .hostGateway
        #expect(table.setLocal(other, leases: [lease], &faults))
        #expect(faults[lease.key]??.description == "its backend is 'vxlan', this network's is 'host-gw'")
        #expect(plan(&table).count == 4 && table.tracker.seenCount == 0)
        #expect(table.setLocal(local, leases: [lease], &faults))
        #expect(plan(&table).count == 4 && table.tracker.seenCount == 4)
    }
}
