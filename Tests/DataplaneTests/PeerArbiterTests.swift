// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct PeerArbiterTests {
    private func peer(_ subnet: String, node: Int, revision: Int64, ip: Int? = nil, mac: Int? = nil) throws
        -> Peer<IPv4Address>
    {
        let prefix = try IPv4Prefix(parsing: subnet)
        return Peer(
            key: SubnetKey(prefix), subnet: prefix, node: NodeID("n\(node)"),
            publicIP: LeaseFixtures.publicIP(ip ?? node), mac: LeaseFixtures.mac(mac ?? node),
            createRevision: Revision(revision))
    }

    private func winners(
        _ arbiter: inout PeerArbiter<IPv4Address>, _ flips: [PeerArbiter<IPv4Address>.Flip],
        _ known: inout Set<Peer<IPv4Address>>
    ) {
        for flip in flips {
            switch flip {
            case .wins(let peer): #expect(known.insert(peer).inserted, "\(peer.key) won twice")
            case .ends(let peer): #expect(known.remove(peer) != nil, "\(peer.key) ended without having won")
            case .loses(let peer, _, _): #expect(!known.contains(peer))
            }
        }
    }

    /// The rule itself, without an index.
    private func verdict(_ peers: [Peer<IPv4Address>]) -> Set<Peer<IPv4Address>> {
        var winners: [Peer<IPv4Address>] = []
        for peer in peers.sorted(by: { $0.isSenior(to: $1) })
        where winners.allSatisfy({ peer.contradiction(with: $0) == nil }) {
            winners.append(peer)
        }
        return Set(winners)
    }

    @Test func `whatever comes and goes in whatever order, the winners are those of the rule`() throws {
        var random = SplitMix64(seed: 20)
        for _ in 0..<60 {
            var arbiter = PeerArbiter<IPv4Address>()
            var present: [SubnetKey: Peer<IPv4Address>] = [:]
            var known: Set<Peer<IPv4Address>> = []
            for _ in 0..<80 {
                let length = [20, 24, 24, 24, 25, 26].randomElement(using: &random) ?? 24
                let bits = 0x0A00_0000 + UInt32.random(in: 0..<4096, using: &random)
                guard let subnet = IPv4Prefix(IPv4Address(bits: bits), length: length) else { continue }
                let node = Int.random(in: 1...12, using: &random)
                let peer = try peer(
                    subnet.description, node: node, revision: .random(in: 1...20, using: &random),
                    ip: .random(in: 1...12, using: &random), mac: .random(in: 1...12, using: &random))
                let value = Int.random(in: 0..<3, using: &random) == 0 ? nil : peer
                winners(&arbiter, arbiter.set(value, for: peer.key), &known)
                present[peer.key] = value
                #expect(known == verdict(Array(present.values)))
            }
        }
    }

    @Test func `the older of two overlapping leases wins, and when it goes the other comes in`() throws {
        var arbiter = PeerArbiter<IPv4Address>()
        let old = try peer("10.244.4.0/22", node: 1, revision: 5)
        let young = try peer("10.244.5.0/24", node: 2, revision: 9)
        #expect(arbiter.set(young, for: young.key) == [.wins(young)])
        #expect(arbiter.set(old, for: old.key) == [.ends(young), .wins(old), .loses(young, to: old.key, .subnet)])
        #expect(arbiter.set(nil, for: old.key) == [.ends(old), .wins(young)])
    }

    @Test func `a loser harms none that is younger still`() throws {
        var arbiter = PeerArbiter<IPv4Address>()
        let first = try peer("10.244.4.0/24", node: 1, revision: 1)
        let wide = try peer("10.244.0.0/16", node: 2, revision: 2)
        let third = try peer("10.244.5.0/24", node: 3, revision: 3)
        for one in [first, wide, third] { _ = arbiter.set(one, for: one.key) }
        #expect(arbiter.set(nil, for: wide.key) == [], "it had no say")
        #expect(arbiter.set(third, for: third.key) == [], "which was in all along")
    }

    @Test func `one MAC or one public address in leases of two nodes is settled by age`() throws {
        var arbiter = PeerArbiter<IPv4Address>()
        let old = try peer("10.244.1.0/24", node: 1, revision: 1)
        let sameMAC = try peer("10.244.2.0/24", node: 2, revision: 2, mac: 1)
        let sameIP = try peer("10.244.3.0/24", node: 3, revision: 3, ip: 1)
        _ = arbiter.set(old, for: old.key)
        #expect(
            arbiter.set(sameMAC, for: sameMAC.key)
                == [.loses(sameMAC, to: old.key, .mac(LeaseFixtures.mac(1)))])
        #expect(
            arbiter.set(sameIP, for: sameIP.key)
                == [.loses(sameIP, to: old.key, .publicIP(LeaseFixtures.publicIP(1)))])
    }

    @Test func `two leases of one VTEP, or of one node that moved, agree`() throws {
        var arbiter = PeerArbiter<IPv4Address>()
        let first = try peer("10.244.1.0/24", node: 1, revision: 1)
        let renamed = try peer("10.244.2.0/24", node: 2, revision: 2, ip: 1, mac: 1)
        let moved = try peer("10.244.3.0/24", node: 1, revision: 3, ip: 9)
        for one in [first, renamed] { #expect(arbiter.set(one, for: one.key) == [.wins(one)]) }
        _ = arbiter.set(nil, for: renamed.key)
        #expect(arbiter.set(moved, for: moved.key) == [.wins(moved)])
    }

    @Test func `among ten thousand leases a wide and younger one is alone in losing`() throws {
        var arbiter = PeerArbiter<IPv4Address>()
        for number in 0..<10_000 {
            let bits = 0x0A00_0000 + UInt32(number) << 8
            let one = try peer("\(IPv4Address(bits: bits))/24", node: number, revision: Int64(number + 1))
            #expect(arbiter.set(one, for: one.key).count == 1)
        }
        let wide = try peer("10.0.0.0/16", node: 20_000, revision: 99_999)
        #expect(arbiter.set(wide, for: wide.key).count == 1)
    }
}
