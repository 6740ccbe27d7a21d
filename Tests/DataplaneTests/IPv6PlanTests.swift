// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

/// The planner over whole clusters, in both families: leases of both, of one, at other places than before, direct and
/// through VXLAN, on kernels old and new.
@Suite struct BothFamiliesPlanTests {
    private struct Cluster {
        var leases: [Lease]
        var isDirect: Bool
        var usesNextHops: Bool
    }

    private func cluster(_ random: inout SplitMix64) throws -> Cluster {
        var leases: [Lease] = []
        for node in 1..<10 where Bool.random(using: &random) {
            let place = node + (Bool.random(using: &random) ? 0 : 20)
            let ipv6 = "fd00:10:244:\(String(place, radix: 16))::/64"
            switch Int.random(in: 0..<4, using: &random) {
            case 0: leases.append(try LeaseFixtures.lease("10.244.\(place).0/24", node: node, revision: Int64(place)))
            case 1: leases.append(try LeaseFixtures.dualLease(nil, ipv6, node: node, revision: Int64(place)))
            default:
                leases.append(
                    try LeaseFixtures.dualLease("10.244.\(place).0/24", ipv6, node: node, revision: Int64(place)))
            }
        }
        // One that is not of the network's cut, and so has no number of its own.
        if Int.random(in: 0..<3, using: &random) == 0 {
            leases.append(try LeaseFixtures.dualLease("10.244.200.0/25", "fd00:10:244:80::/65", node: 90, revision: 99))
        }
        return Cluster(
            leases: leases, isDirect: .random(using: &random), usesNextHops: Int.random(in: 0..<4, using: &random) > 0)
    }

    private func local<Address: DataplaneAddress>(_ cluster: Cluster, _ address: Address) throws -> LocalNode<Address> {
        let config = try LeaseFixtures.config(ipv6: "fd00:10:244::/48")
        // About every other node is on a network of the underlay.
        let networks = (0..<8).compactMap { place in
            Prefix(Address(bits: address.bits & ~0xFF | Address.Bits(place * 4 + 1)), length: Address.Bits.bitWidth)
        }
        return LocalNode(
            node: NodeID("n0"), publicIP: address, mac: LeaseFixtures.mac(250), key: nil,
            backend: .vxlan(VXLANConfig(directRouting: cluster.isDirect)), usesNextHops: cluster.usesNextHops,
            networks: networks, family: Address.family(of: config))
    }

    private func run<Address: DataplaneAddress>(
        _ clusters: [Cluster], _ address: Address, kernel state: inout DataplaneState<Address>
    ) throws -> Int {
        var operations = 0
        let first = try local(clusters[0], address)
        var table = PeerTable(local: first)
        var faults: PeerFaults<Address> = [:]
        table.tracker.seeAll(state)
        var known: [SubnetKey: Lease] = [:]
        for cluster in clusters {
            table.setLocal(try local(cluster, address), leases: known.values, &faults)
            let now = Dictionary(uniqueKeysWithValues: cluster.leases.map { ($0.key, $0) })
            for key in Set(known.keys).union(now.keys) where known[key] != now[key] {
                table.set(now[key], for: key, &faults)
            }
            known = now
            let plan = table.tracker.plan(removing: true)
            operations += plan.count
            for operation in plan {
                let answer = FakeKernel.apply(operation, to: &state)
                #expect(answer == nil, "\(operation): \(answer ?? "")")
                table.tracker.done(operation)
                expectRoutesWork(state, after: operation)
            }
            #expect(!table.tracker.hasPending)
            #expect(table.tracker.plan(removing: true).isEmpty)
            let peers = now.values.filter { Address.subnet(of: $0.key) != nil }
            #expect(state.routes.count == peers.count)
            #expect(table.tracker.wantedCount == state.count && table.tracker.seenCount == state.count)
        }
        return operations
    }

    /// No route is there without all that a packet by it needs.
    private func expectRoutesWork<Address: DataplaneAddress>(
        _ state: DataplaneState<Address>, after operation: Operation<Address>
    ) {
        for (prefix, path) in state.routes {
            let (gateway, device): (Address, EgressDevice)
            switch path {
            case .gateway(let address, let egress): (gateway, device) = (address, egress)
            case .nextHop(let id):
                guard let hop = state.nextHops[id] else {
                    Issue.record("the route to \(prefix) has no next hop after \(operation)")
                    return
                }
                (gateway, device) = (hop.gateway, hop.device)
            }
            guard device == .underlay || state.neighbors[gateway].map({ state.fdb[$0] != nil }) ?? false else {
                Issue.record("the route to \(prefix) leads nowhere after \(operation)")
                return
            }
        }
    }

    @Test func `from any cluster to any other, in both families, each step is accepted and safe and the end is right`()
        throws
    {
        var random = SplitMix64(seed: 6)
        for _ in 0..<700 {
            let clusters = try (0..<3).map { _ in try cluster(&random) }
            var ipv4 = DataplaneState<IPv4Address>()
            _ = try run(clusters, LeaseFixtures.publicIP(0), kernel: &ipv4)
            var ipv6 = DataplaneState<IPv6Address>()
            _ = try run(clusters, LeaseFixtures.publicIPv6(0), kernel: &ipv6)
            #expect(ipv4.nextHops.keys.allSatisfy { !$0.isIPv6 } && ipv6.nextHops.keys.allSatisfy(\.isIPv6))
            #expect(
                try run([clusters[2]], LeaseFixtures.publicIPv6(0), kernel: &ipv6) == 0, "a restart changes nothing")
            #expect(try run([clusters[2]], LeaseFixtures.publicIP(0), kernel: &ipv4) == 0, "a restart changes nothing")
        }
    }

    @Test func `a peer that is reached through VXLAN instead of directly loses its route only for its next hop's sake`()
        throws
    {
        func node(_ isDirect: Bool) throws -> LocalNode<IPv6Address> {
            LocalNode(
                node: NodeID("n0"), publicIP: LeaseFixtures.publicIPv6(200), key: nil,
                backend: .vxlan(VXLANConfig(directRouting: isDirect)), usesNextHops: true,
                networks: [try IPv6Prefix(parsing: "fd20::/64")],
                family: try LeaseFixtures.config(ipv6: "fd00:10:244::/48").ipv6)
        }
        let lease = try LeaseFixtures.dualLease("10.244.20.0/24", "fd00:10:244:14::/64", node: 2)
        var table = PeerTable(local: try node(true))
        var faults: PeerFaults<IPv6Address> = [:]
        table.set(lease, for: lease.key, &faults)
        let first = table.tracker.plan(removing: true)
        #expect(
            first.map(\.description) == [
                "add nexthop id 3758096404 via fd20::2 dev underlay onlink",
                "add route fd00:10:244:14::/64 nhid 3758096404",
            ])
        for operation in first { table.tracker.done(operation) }
        #expect(table.setLocal(try node(false), leases: [lease], &faults))
        #expect(
            table.tracker.plan(removing: true).map(\.description) == [
                "remove route fd00:10:244:14::/64 nhid 3758096404",
                "set fdb 02:00:00:00:00:03 dst fd20::2",
                "set neighbour fd00:10:244:14:: lladdr 02:00:00:00:00:03",
                "replace nexthop id 3758096404 via fd00:10:244:14:: dev vxlan onlink",
                "add route fd00:10:244:14::/64 nhid 3758096404",
            ])
    }
}

@Suite struct IPv6TranslationTests {
    private func local(
        key: SubnetKey? = nil, network: String = "fd00:10:244::/48", backend: BackendConfig = .vxlan(VXLANConfig()),
        addresses: Set<IPv6Address> = []
    ) throws -> LocalNode<IPv6Address> {
        LocalNode(
            node: NodeID("n0"), publicIP: LeaseFixtures.publicIPv6(200), mac: LeaseFixtures.mac(200), key: key,
            backend: backend, usesNextHops: true, addresses: addresses,
            family: try LeaseFixtures.config(ipv6: network).ipv6)
    }

    @Test func `a peer's four entries are of IPv6 throughout`() throws {
        let lease = try LeaseFixtures.dualLease("10.244.20.0/24", "fd00:10:244:14::/64", node: 2)
        #expect(
            try local().entries(for: lease).get().described.map(\.entry) == [
                "route fd00:10:244:14::/64 nhid 3758096404",
                "nexthop id 3758096404 via fd00:10:244:14:: dev vxlan onlink",
                "neighbour fd00:10:244:14:: lladdr 02:00:00:00:00:03", "fdb 02:00:00:00:00:03 dst fd20::2",
            ])
    }

    @Test func `host-gw goes through the peer's public IPv6 address, and each peer has a next hop of its own`() throws {
        let host = try local(backend: .hostGateway)
        let ids = try (2...9).map { number in
            var lease = try LeaseFixtures.dualLease(
                "10.244.\(number).0/24", "fd00:10:244:\(number)::/64", node: number)
            var announcement = lease.announcement
            announcement.backend = .hostGateway
            lease = Lease(
                key: lease.key, announcement: announcement, kind: lease.kind, createRevision: lease.createRevision,
                modRevision: lease.modRevision)
            let entries = try host.entries(for: lease).get()
            #expect(entries.neighbor == nil && entries.fdb == nil)
            #expect(entries.nextHop?.gateway == LeaseFixtures.publicIPv6(number))
            #expect(entries.nextHop?.device == .underlay)
            return entries.nextHop?.id
        }
        #expect(Set(ids).count == 8)
    }

    @Test(arguments: ["fd00::/8", "fd00:10:244::/48"])
    func `a number of a next hop is had by one peer only, and where it could not be there is none`(network: String)
        throws
    {
        let node = try local(network: network)
        var random = SplitMix64(seed: 3)
        var numbers: [NextHopID: IPv6Prefix] = [:]
        for _ in 0..<2_000 {
            let range = try #require(node.family).range
            let place = UInt128.random(in: 0...range.lastIndex, using: &random)
            let subnet = try #require(
                IPv6Prefix(IPv6Address(bits: range.first.address.bits + place << 64), length: 64))
            let peer = Peer(
                key: SubnetKey(ipv6Subnet: subnet), subnet: subnet, node: nil, publicIP: LeaseFixtures.publicIPv6(1),
                mac: LeaseFixtures.mac(1), createRevision: Revision(1))
            guard let id = node.entries(for: peer).nextHop?.id else {
                #expect(network == "fd00::/8" && node.entries(for: peer).route.path == .gateway(subnet.address, .vxlan))
                continue
            }
            #expect(network != "fd00::/8" && id.isIPv6 && (numbers.updateValue(subnet, forKey: id) ?? subnet) == subnet)
        }
    }

    @Test func `what is no peer of this family is told why, and what has nothing of it is not told at all`() throws {
        let lease = try LeaseFixtures.dualLease("10.244.20.0/24", "fd00:10:244:14::/64", node: 2)
        func fault(_ node: LocalNode<IPv6Address>, _ lease: Lease) -> PeerFault<IPv6Address>? {
            if case .failure(let fault) = node.entries(for: lease) { fault } else { nil }
        }
        let plain = try LeaseFixtures.lease("10.244.21.0/24", node: 3)
        #expect(
            fault(try local(), plain) == .otherFamily && PeerFault<IPv6Address>.otherFamily.isWorthReporting == false)
        let own = SubnetKey(try IPv4Prefix(parsing: "10.244.99.0/24"), ipv6Subnet: lease.key.ipv6Subnet)
        let subnet = try #require(lease.key.ipv6Subnet)
        #expect(fault(try local(key: own), lease) == .overlapsOwnSubnet(subnet))
        let inside = try IPv6Address(parsing: "fd00:10:244:14::7")
        #expect(fault(try local(addresses: [inside]), lease) == .coversLocalAddress(inside))
        #expect(
            fault(try local(addresses: [LeaseFixtures.publicIPv6(2)]), lease)
                == .sharesPublicIP(LeaseFixtures.publicIPv6(2)))
        var announcement = lease.announcement
        announcement.backend = .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: LeaseFixtures.mac(2)), ipv6: nil)
        let mute = Lease(
            key: lease.key, announcement: announcement, kind: lease.kind, createRevision: Revision(1),
            modRevision: Revision(1))
        #expect(fault(try local(), mute)?.description == "its BackendV6Data has no VNI and VtepMAC")
    }

    @Test func `one half of a lease may lose while the other wins`() throws {
        let old = try LeaseFixtures.dualLease("10.244.20.0/24", "fd00:10:244:14::/64", node: 2, revision: 1)
        let young = try LeaseFixtures.dualLease("10.244.21.0/24", "fd00:10:244:14::/64", node: 3, revision: 2)
        var ipv6 = PeerTable(local: try local())
        var faults: PeerFaults<IPv6Address> = [:]
        var ipv4 = PeerTable(
            local: LocalNode(
                node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(200), key: nil, backend: .vxlan(VXLANConfig()),
                usesNextHops: true))
        var others: PeerFaults<IPv4Address> = [:]
        for lease in [young, old] {
            ipv6.set(lease, for: lease.key, &faults)
            ipv4.set(lease, for: lease.key, &others)
        }
        #expect(ipv6.tracker.wantedCount == 4 && ipv4.tracker.wantedCount == 8 && others.isEmpty)
        #expect(
            faults[young.key]??.description
                == "its subnet overlaps 10.244.20.0-24&fd00:10:244:14::-64, whose lease is older")
        faults = [:]
        ipv6.set(nil, for: old.key, &faults)
        #expect(faults[young.key] == .some(nil) && ipv6.tracker.wantedCount == 4)
    }

    @Test(arguments: [
        (nil, "tartan-v6.1"), ("pods", "pods-v6"), ("vx.1", "vx-v6.1"), ("averylongname.7", "averylongn-v6.7"),
    ])
    func `the device's name follows the one that was chosen, within fifteen bytes`(chosen: String?, name: String) {
        #expect(IPv6Address.deviceName(vni: 1, chosen: chosen) == name && name.utf8.count <= 15)
    }

    @Test(arguments: [(1500, 1430), (9000, 8930)])
    func `over IPv6 the envelope takes seventy bytes`(underlay: Int, device: Int) {
        let underlay = Underlay(
            name: "eth0", index: 2, mtu: underlay, address: .any, ipv6Address: LeaseFixtures.publicIPv6(1))
        let wanted = VXLANDevice<IPv6Address>(
            name: "tartan-v6.1", config: VXLANConfig(), mac: LeaseFixtures.mac(1), underlay: underlay,
            local: LeaseFixtures.publicIPv6(1), address: nil)
        #expect(wanted.mtu == device)
    }
}
