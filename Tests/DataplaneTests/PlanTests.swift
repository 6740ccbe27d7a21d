// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct PlanTests {
    private let local = LocalNode(
        node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(0), key: nil, backend: .vxlan(VXLANConfig()),
        usesNextHops: true)

    @Test func `from anything seen, applying the plan gives what is wanted, safely and with nothing to spare`() throws {
        var random = SplitMix64(seed: 99)
        for _ in 0..<400 {
            let seen = try randomPeers(&random)
            let wanted = try randomPeers(&random)
            var kernel = FakeKernel.Content()
            var tracker = DataplaneTracker<IPv4Address>()
            kernel.state = state(of: seen)
            tracker.seeAll(kernel.state)
            for peer in wanted { tracker.want(peer) }
            let plan = tracker.plan(removing: true)
            for operation in plan {
                #expect(FakeKernel.apply(operation, &kernel) == nil, "\(operation)")
                tracker.done(operation)
                expectRoutesWork(kernel.state, after: operation)
            }
            #expect(kernel.state == state(of: wanted))
            #expect(!tracker.hasPending && tracker.plan(removing: true).isEmpty)
            #expect(plan.count <= difference(state(of: seen), state(of: wanted)))
            #expect(tracker.wantedCount == kernel.state.count && tracker.seenCount == kernel.state.count)
        }
    }

    @Test func `told of a whole plan at once, the tracker knows what it knows when told of each step`() throws {
        var random = SplitMix64(seed: 41)
        for round in 0..<60 {
            var one = DataplaneTracker<IPv4Address>()
            // Few entries are told one by one in any case.
            let count = round < 30 ? 12 : 400
            func peers() throws -> [PeerEntries<IPv4Address>] {
                try (1...count).filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
                    .map { try entries(subnet: $0, node: $0 + (Bool.random(using: &random) ? 0 : 1_000)) }
            }
            one.seeAll(state(of: try peers()))
            for peer in try peers() { one.want(peer) }
            let plan = one.plan(removing: true)
            let failed = Set(plan.map(\.key).filter { _ in round % 3 == 0 && Bool.random(using: &random) })
            var other = one
            for operation in plan where !failed.contains(operation.key) { one.done(operation) }
            #expect(other.isWhole(plan))
            other.settleAll(except: failed)
            #expect(one.plan(removing: true) == other.plan(removing: true))
            #expect(one.seenCount == other.seenCount && one.wantedCount == other.wantedCount)
            #expect(one.pendingCount == other.pendingCount && other.pendingCount == failed.count)
            one.unwantAll()
            other.unwantAll()
            #expect(one.plan(removing: true) == other.plan(removing: true))
            other.settleAll(except: [])
            #expect(other.seenCount == 0 && !other.hasPending)
        }
    }

    @Test func `equal states have an empty plan`() throws {
        var random = SplitMix64(seed: 5)
        let peers = try randomPeers(&random)
        var tracker = DataplaneTracker<IPv4Address>()
        for peer in peers { tracker.want(peer) }
        tracker.seeAll(state(of: peers))
        #expect(tracker.plan(removing: true).isEmpty)
    }

    @Test func `before the first complete snapshot nothing is removed`() throws {
        var tracker = DataplaneTracker<IPv4Address>()
        let peer = try entries(subnet: 3, node: 3)
        tracker.seeAll(state(of: [peer]))
        #expect(tracker.plan(removing: false).isEmpty)
        #expect(tracker.plan(removing: true).count == 4)
    }

    @Test func `a change of one peer costs its own four operations among ten thousand`() throws {
        var tracker = DataplaneTracker<IPv4Address>()
        for number in 1...10_000 { tracker.want(try entries(subnet: number, node: number)) }
        for operation in tracker.plan(removing: true) { tracker.done(operation) }
        tracker.want(try entries(subnet: 10_001, node: 10_001))
        #expect(tracker.plan(removing: true).count == 4)
    }

    @Test func `what is pending is told with what is there, what should be, and the lines that mend it`() throws {
        var tracker = DataplaneTracker<IPv4Address>()
        let names = DeviceNames(vxlan: "tartan.1", underlay: "eth0")
        let peer = try entries(subnet: 3, node: 3)
        tracker.want(peer)
        tracker.seeAll(state(of: [peer]))
        #expect(tracker.pendingEntries(limit: 10, names).isEmpty)
        _ = tracker.see(
            {
                var changes = DataplaneChanges<IPv4Address>()
                changes.routes[peer.route.destination] = .some(nil)
                return changes
            }())
        let other = Route<IPv4Address>.Path.nextHop(NextHopID(7))
        let pending = tracker.pendingEntries(limit: 10, names)
        #expect(pending.map(\.key) == [peer.described[0].key])
        #expect(pending.map(\.wanted) == [peer.described[0].entry])
        #expect(pending[0].present == nil && pending[0].commands.count == 1)
        var changes = DataplaneChanges<IPv4Address>()
        changes.routes[peer.route.destination] = other
        _ = tracker.see(changes)
        let changed = tracker.pendingEntries(limit: 10, names)
        #expect(changed[0].present == "\(Route(destination: peer.route.destination, path: other))")
        #expect(changed[0].commands.count == 2, "a route is taken out and put in")
        tracker.unwant(peer)
        #expect(tracker.pendingEntries(limit: 10, names).map(\.wanted) == [nil, nil, nil, nil])
        #expect(tracker.pendingEntries(limit: 2, names).count == 2)
    }

    /// Every route's next hop, neighbour and forwarding entry are there.
    private func expectRoutesWork(_ state: DataplaneState<IPv4Address>, after operation: Operation<IPv4Address>) {
        for case .nextHop(let id) in state.routes.values {
            guard let hop = state.nextHops[id], let mac = state.neighbors[hop.gateway], state.fdb[mac] != nil else {
                Issue.record("a route leads nowhere after \(operation)")
                return
            }
        }
    }

    private func randomPeers(_ random: inout SplitMix64) throws -> [PeerEntries<IPv4Address>] {
        var peers: [PeerEntries<IPv4Address>] = []
        for node in 1..<12 where Bool.random(using: &random) {
            // Each node its own subnets, so that two wanted peers never contradict each other; a subnet's VTEP may be
            // another one before and after.
            let vtep = node + (Bool.random(using: &random) ? 0 : 40)
            peers.append(try entries(subnet: node + (Bool.random(using: &random) ? 0 : 20), node: vtep))
        }
        return peers
    }

    private func entries(subnet: Int, node: Int) throws -> PeerEntries<IPv4Address> {
        let prefix = try #require(IPv4Prefix(IPv4Address(bits: 0x0A00_0000 + UInt32(subnet) << 8), length: 24))
        let lease = Lease(
            key: SubnetKey(prefix), announcement: LeaseFixtures.announcement(node: node), kind: .reservation,
            createRevision: Revision(1), modRevision: Revision(1))
        return try local.entries(for: lease).get()
    }

    private func state(of peers: [PeerEntries<IPv4Address>]) -> DataplaneState<IPv4Address> {
        var state = DataplaneState<IPv4Address>()
        for peer in peers {
            if let neighbor = peer.neighbor { state.neighbors[neighbor.address] = neighbor.mac }
            if let entry = peer.fdb { state.fdb[entry.mac] = entry.destination }
            if let nextHop = peer.nextHop { state.nextHops[nextHop.id] = nextHop }
            state.routes[peer.route.destination] = peer.route.path
        }
        return state
    }

    private func difference(_ a: DataplaneState<IPv4Address>, _ b: DataplaneState<IPv4Address>) -> Int {
        func count<Key: Hashable, Value: Equatable>(_ a: [Key: Value], _ b: [Key: Value]) -> Int {
            Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.count
        }
        return count(a.neighbors, b.neighbors) + count(a.fdb, b.fdb) + count(a.nextHops, b.nextHops)
            + count(a.routes, b.routes)
    }
}

@Suite struct LeaseTranslationTests {
    private func local(_ change: (inout LocalNode<IPv4Address>) -> Void = { _ in }) -> LocalNode<IPv4Address> {
        var node = LocalNode(
            node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), key: nil, backend: .vxlan(VXLANConfig()),
            usesNextHops: true)
        change(&node)
        return node
    }

    @Test func `a vxlan peer is four entries`() throws {
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2)
        var state = DataplaneTracker<IPv4Address>()
        state.want(try local().entries(for: lease).get())
        let text = state.plan(removing: false).map(\.description)
        #expect(
            text == [
                "set fdb 02:00:00:00:00:02 dst 192.168.0.2",
                "set neighbour 10.244.20.0 lladdr 02:00:00:00:00:02",
                "add nexthop id 183768064 via 10.244.20.0 dev vxlan onlink",
                "add route 10.244.20.0/24 nhid 183768064",
            ])
    }

    @Test func `an older kernel gets a route with its gateway`() throws {
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2)
        let entries = try local { $0.usesNextHops = false }.entries(for: lease).get()
        #expect(entries.nextHop == nil)
        #expect(entries.route.description == "route 10.244.20.0/24 via 10.244.20.0 dev vxlan onlink")
    }

    @Test func `with direct routing a peer on a network of the underlay gets a plain route, the others VXLAN`() throws {
        let network = try IPv4Prefix(parsing: "192.168.0.0/29")
        func entries(_ node: Int, isDirect: Bool, usesNextHops: Bool = true) throws -> PeerEntries<IPv4Address> {
            let local = LocalNode(
                node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), key: nil,
                backend: .vxlan(VXLANConfig(directRouting: isDirect)), usesNextHops: usesNextHops, networks: [network])
            return try local.entries(for: try LeaseFixtures.lease("10.244.20.0/24", node: node)).get()
        }
        let near = try entries(2, isDirect: true)
        #expect(near.neighbor == nil && near.fdb == nil)
        #expect(near.nextHop?.description == "nexthop id 3232235522 via 192.168.0.2 dev underlay onlink")
        #expect(near.route.description == "route 10.244.20.0/24 nhid 3232235522")
        let classic = try entries(2, isDirect: true, usesNextHops: false).route
        #expect(classic.description == "route 10.244.20.0/24 via 192.168.0.2 dev underlay onlink")
        let far = try entries(9, isDirect: false)
        #expect(try entries(9, isDirect: true) == far)
        #expect(try entries(2, isDirect: false).neighbor != nil)
    }

    @Test(arguments: [(nil, 1500, 1450), (1400, 1500, 1350), (9000, 1500, 1450), (1500, 9000, 1450)])
    func `the device has what the network's MTU and the underlay's leave beside the envelope`(
        mtu: Int?, underlay: Int, device: Int
    ) throws {
        let underlay = Underlay(name: "eth0", index: 2, mtu: underlay, address: IPv4Address(192, 168, 0, 1))
        let wanted = VXLANDevice(
            name: "tartan.1", config: VXLANConfig(mtu: mtu), mac: LeaseFixtures.mac(1), underlay: underlay, address: nil
        )
        #expect(wanted.mtu == device)
    }

    @Test func `what is not a peer is told why`() throws {
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 2)
        let own = SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/25"))
        let cases: [(LocalNode<IPv4Address>, PeerFault<IPv4Address>)] = [
            (local { $0.node = NodeID("n2") }, .own),
            (local { $0.key = lease.key }, .own),
            (local { $0.key = own }, .overlapsOwnSubnet(own.subnet)),
            (local { $0.publicIP = LeaseFixtures.publicIP(2) }, .sharesPublicIP(LeaseFixtures.publicIP(2))),
            (local { $0.mac = LeaseFixtures.mac(2) }, .sharesMAC(LeaseFixtures.mac(2))),
            (local { $0.backend = .hostGateway }, .backend("vxlan", wanted: "host-gw")),
            (local { $0.backend = .vxlan(VXLANConfig(vni: 7)) }, .vni(1, wanted: 7)),
            (local { $0.backend = .none }, .notCarried),
        ]
        for (node, fault) in cases { #expect(node.entries(for: lease) == .failure(fault)) }
    }

    @Test func `a gateway that is not one hop away is none`() throws {
        var announcement = LeaseFixtures.announcement(node: 2)
        announcement.backend = .hostGateway
        let lease = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/24")), announcement: announcement, kind: .reservation,
            createRevision: Revision(1), modRevision: Revision(1))
        func node(_ networks: [String]) throws -> LocalNode<IPv4Address> {
            LocalNode(
                node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(0), key: nil, backend: .hostGateway,
                usesNextHops: true, networks: try networks.map { try IPv4Prefix(parsing: $0) })
        }
        #expect(try node(["10.9.0.0/16"]).entries(for: lease) == .failure(.notOnLink(LeaseFixtures.publicIP(2))))
        for networks in [["10.9.0.0/16", "192.168.0.0/16"], []] {
            guard case .success = try node(networks).entries(for: lease) else {
                Issue.record("not a peer on \(networks)")
                continue
            }
        }
    }
}
