// SPDX-License-Identifier: Apache-2.0

import IPAddressing
package import Leases

/// Settles between leases that contradict each other, by one rule that every node applies alike: taken from the
/// oldest to the youngest, a lease wins unless it contradicts one that has won.
///
/// Invariant: the verdicts depend on the set of peers alone, not on the order in which they came. A lease that lost
/// harms none of the younger ones. A change costs work in proportion to the leases that contradict it.
package struct PeerArbiter<Address: DataplaneAddress>: Sendable {
    /// A verdict that became another.
    package enum Flip: Hashable, Sendable {
        /// It is to be programmed.
        case wins(Peer<Address>)
        /// It was to be programmed, and is not any more.
        case ends(Peer<Address>)
        /// It is not to be programmed; after `ends` where it was.
        case loses(Peer<Address>, to: SubnetKey, PeerContradiction<Address>)
    }

    private struct Slot {
        var peer: Peer<Address>
        /// `nil`: not judged yet.
        var wins: Bool?
    }

    private struct Reason: Equatable {
        let winner: SubnetKey
        let matter: PeerContradiction<Address>
    }

    private var slots: [Slot?] = []
    /// Why each of those that lost did, which are few.
    private var reasons: [Int32: Reason] = [:]
    private var free: [Int32] = []
    private var bySubnet = OverlapIndex<Address>()
    private var byMAC = SlotIndex<MACAddress>()
    private var byPublicIP = SlotIndex<Address>()

    package init() {}

    /// Takes in the peer of that lease as it is now, `nil` where it is none (any more); returns which verdicts
    /// changed: first everything that ends.
    package mutating func set(_ peer: Peer<Address>?, for key: SubnetKey) -> [Flip] {
        var flips: [Flip] = []
        var open: [Int32] = []
        if let old = slot(of: key) {
            guard let there = slots[Int(old)], there.peer != peer else { return [] }
            open = rivals(of: there.peer, except: old)
            remove(old)
            if there.wins == true { flips.append(.ends(there.peer)) }
        }
        if let peer {
            let slot = insert(peer)
            open += rivals(of: peer, except: slot) + [slot]
        }
        settle(open, &flips)
        return flips.filter(\.isEnd) + flips.filter { !$0.isEnd }
    }

    /// Judges those, and whom their new verdicts concern, the oldest first: a verdict depends on older leases only.
    private mutating func settle(_ open: [Int32], _ flips: inout [Flip]) {
        // The oldest last, where it is taken from.
        var queue = Array(Set(open)).sorted { isSenior($1, to: $0) }
        while let slot = queue.popLast() {
            guard let before = slots[Int(slot)] else { continue }
            let reason = reasonAgainst(slot, before.peer)
            let wins = reason == nil
            slots[Int(slot)]?.wins = wins
            let earlier = reasons[slot]
            if reason != earlier { reasons[slot] = reason }
            guard wins != before.wins || reason != earlier else { continue }
            if before.wins == true { flips.append(.ends(before.peer)) }
            if let reason {
                flips.append(.loses(before.peer, to: reason.winner, reason.matter))
            } else {
                flips.append(.wins(before.peer))
            }
            guard wins != (before.wins ?? false) else { continue }
            for rival in rivals(of: before.peer, except: slot) where isSenior(slot, to: rival) {
                let place = queue.partitioningIndex { !isSenior(rival, to: $0) }
                if place == queue.count || queue[place] != rival { queue.insert(rival, at: place) }
            }
        }
    }

    /// The oldest winner that it contradicts.
    private func reasonAgainst(_ slot: Int32, _ peer: Peer<Address>) -> Reason? {
        var winner: Peer<Address>?
        for rival in rivals(of: peer, except: slot) {
            guard let other = slots[Int(rival)], other.wins == true, other.peer.isSenior(to: peer),
                winner.map({ other.peer.isSenior(to: $0) }) ?? true
            else { continue }
            winner = other.peer
        }
        guard let winner, let matter = peer.contradiction(with: winner) else { return nil }
        return Reason(winner: winner.key, matter: matter)
    }

    /// Those that it contradicts, each once: what two contradict each other about is one matter.
    private func rivals(of peer: Peer<Address>, except own: Int32) -> [Int32] {
        var found: [Int32] = []
        bySubnet.forEachOverlap(peer.subnet) { slot in
            if slot != own { found.append(slot) }
        }
        func take(_ slot: Int32, _ matter: PeerContradiction<Address>) {
            guard slot != own, let other = slots[Int(slot)], peer.contradiction(with: other.peer) == matter else {
                return
            }
            found.append(slot)
        }
        byPublicIP.forEach(peer.publicIP) { take($0, .publicIP(peer.publicIP)) }
        if let mac = peer.mac { byMAC.forEach(mac) { take($0, .mac(mac)) } }
        return found
    }

    private func isSenior(_ a: Int32, to b: Int32) -> Bool {
        guard let first = slots[Int(a)], let second = slots[Int(b)] else { return false }
        return first.peer.isSenior(to: second.peer)
    }

    private func slot(of key: SubnetKey) -> Int32? {
        var found: Int32?
        guard let subnet = Address.subnet(of: key) else { return nil }
        bySubnet.forEachExact(subnet) { slot in
            if slots[Int(slot)]?.peer.key == key { found = slot }
        }
        return found
    }

    private mutating func insert(_ peer: Peer<Address>) -> Int32 {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            slots[Int(slot)] = Slot(peer: peer)
        } else {
            slot = Int32(slots.count)
            slots.append(Slot(peer: peer))
        }
        bySubnet.insert(slot, for: peer.subnet)
        byPublicIP.insert(slot, for: peer.publicIP)
        if let mac = peer.mac { byMAC.insert(slot, for: mac) }
        return slot
    }

    private mutating func remove(_ slot: Int32) {
        guard let peer = slots[Int(slot)]?.peer else { return }
        bySubnet.remove(slot, for: peer.subnet)
        byPublicIP.remove(slot, for: peer.publicIP)
        if let mac = peer.mac { byMAC.remove(slot, for: mac) }
        slots[Int(slot)] = nil
        reasons[slot] = nil
        free.append(slot)
    }
}

extension PeerArbiter.Flip {
    fileprivate var isEnd: Bool { if case .ends = self { true } else { false } }
}

extension Array {
    /// The first place whose element, and all behind it, satisfy the predicate.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
