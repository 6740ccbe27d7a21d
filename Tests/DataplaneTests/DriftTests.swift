// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct DriftTests {
    private func table(peers: ClosedRange<Int>) throws -> (PeerTable<IPv4Address>, FakeKernel) {
        let local = LocalNode(
            node: NodeID("n0"), publicIP: LeaseFixtures.publicIP(0), key: nil, backend: .vxlan(VXLANConfig()),
            usesNextHops: true)
        var table = PeerTable(local: local)
        var faults: PeerFaults<IPv4Address> = [:]
        for number in peers {
            let lease = try LeaseFixtures.lease("10.244.\(number).0/24", node: number)
            table.set(lease, for: lease.key, &faults)
        }
        let kernel = FakeKernel()
        kernel.change {
            for operation in table.tracker.plan(removing: true) {
                #expect(FakeKernel.apply(operation, &$0) == nil)
                table.tracker.done(operation)
            }
        }
        return (table, kernel)
    }

    @Test func `whatever somebody does to the tables, the repair is of exactly that`() async throws {
        var random = SplitMix64(seed: 3)
        for _ in 0..<200 {
            var (table, kernel) = try table(peers: 1...8)
            let wanted = kernel.read { $0.state }
            kernel.disturb { content in
                for _ in 0..<Int.random(in: 1...5, using: &random) { Self.damage(&content.state, &random) }
            }
            let damaged = kernel.read { $0.state }
            let drifted = table.tracker.see(await kernel.takeChanges())
            let plan = table.tracker.plan(removing: true)
            #expect(Set(plan.map(\.key)) == Set(drifted), "nothing but what drifted, and all of it")
            #expect(plan.isEmpty == (damaged == wanted))
            kernel.change { content in
                for operation in plan {
                    #expect(FakeKernel.apply(operation, &content) == nil, "\(operation)")
                    table.tracker.done(operation)
                }
                #expect(content.state == wanted)
            }
        }
    }

    private static func damage(_ state: inout DataplaneState<IPv4Address>, _ random: inout SplitMix64) {
        let number = Int.random(in: 1...10, using: &random)
        let gateway = IPv4Address(10, 244, UInt8(number), 0)
        let id = NextHopID(gateway.bits)
        let mac = LeaseFixtures.mac(number)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: state.neighbors[gateway] = nil
        case 1: state.neighbors[gateway] = LeaseFixtures.mac(99)
        case 2: state.fdb[mac] = nil
        case 3: state.fdb[mac] = LeaseFixtures.publicIP(99)
        case 4: state.nextHops[id] = nil
        case 5: if let subnet = IPv4Prefix(gateway, length: 24) { state.routes[subnet] = nil }
        default:
            guard state.nextHops[id] != nil else { return }
            state.nextHops[id] = NextHop(id: id, gateway: IPv4Address(10, 9, 9, 9), device: .vxlan)
        }
    }

    @Test func `what was known already is no drift`() async throws {
        var (table, kernel) = try table(peers: 1...3)
        var echo = DataplaneChanges<IPv4Address>()
        for (mac, address) in kernel.read({ $0.state.fdb }) { echo.fdb.updateValue(address, forKey: mac) }
        #expect(table.tracker.see(echo) == [])
        #expect(table.tracker.seeAll(kernel.read { $0.state }) == [])
    }

    @Test func `with a next hop its routes go, of which the kernel says nothing`() async throws {
        var (table, kernel) = try table(peers: 1...3)
        let id = NextHopID(IPv4Address(10, 244, 2, 0).bits)
        kernel.disturb { $0.state.nextHops[id] = nil }
        let changes = await kernel.takeChanges()
        #expect(changes.routes.isEmpty)
        #expect(Set(table.tracker.see(changes).map(\.kind)) == [.nextHop, .route])
        #expect(table.tracker.plan(removing: true).count == 2)
    }

    @Test func `what is held is left out of the plan, and nothing else is`() async throws {
        var (table, kernel) = try table(peers: 1...3)
        kernel.disturb { $0.state = DataplaneState() }
        _ = table.tracker.see(await kernel.takeChanges())
        let held = EntryKey<IPv4Address>.neighbor(IPv4Address(10, 244, 2, 0))
        let plan = table.tracker.plan(removing: true) { $0 == held }
        #expect(plan.count == 11 && !plan.contains { $0.key == held })
    }
}

@Suite struct HoldTableTests {
    private func at(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .milliseconds(milliseconds)) }

    @Test func `holds double up to the limit, begin after the grace, and are told once`() {
        var holds = HoldTable<String>(
            grace: 2, first: .milliseconds(100), limit: .milliseconds(300), memory: .seconds(10))
        #expect(!holds.strike("a", at: at(0)) && !holds.holds("a", at: at(0)))
        #expect(!holds.strike("a", at: at(1)) && !holds.holds("a", at: at(1)))
        #expect(holds.strike("a", at: at(2)) && holds.holds("a", at: at(101)) && !holds.holds("a", at: at(102)))
        #expect(!holds.strike("a", at: at(102)) && holds.holds("a", at: at(301)) && !holds.holds("a", at: at(302)))
        #expect(!holds.strike("a", at: at(302)) && holds.nextEnd(after: at(302)) == at(602))
        #expect(!holds.holds("b", at: at(302)))
        holds.clear("a")
        #expect(!holds.holds("a", at: at(302)) && holds.isEmpty)
    }

    @Test func `a key that was quiet for long begins anew`() {
        var holds = HoldTable<String>(
            grace: 0, first: .milliseconds(100), limit: .seconds(30), memory: .seconds(1))
        for _ in 0..<5 { holds.strike("a", at: at(0)) }
        #expect(holds.nextEnd(after: at(0)) == at(1600))
        #expect(holds.strike("a", at: at(2700)) && holds.nextEnd(after: at(2700)) == at(2800))
        #expect(holds.nextEnd(after: at(9000)) == nil && holds.isEmpty)
    }
}
