// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// What the leases mean for this node's kernel, kept current lease by lease.
///
/// Invariant: what ``tracker`` wants are the entries of exactly those leases that are peers of this node and that no
/// older lease contradicts.
package struct PeerTable: Sendable {
    /// Verdicts that changed, by lease; `nil`: nothing is wrong with it any more.
    package typealias Faults = [SubnetKey: PeerFault?]

    package private(set) var local: LocalNode
    package var tracker = DataplaneTracker<IPv4Address>()
    private var arbiter = PeerArbiter()
    /// Leases with a verdict that was told: only of these there is news when all is well.
    private var faulty: Set<SubnetKey> = []

    package init(local: LocalNode) { self.local = local }

    /// Takes in a lease as it is now; `nil`: it ended.
    package mutating func set(_ lease: Lease?, for key: SubnetKey, _ faults: inout Faults) {
        var peer: Peer?
        var fault: PeerFault?
        if let lease {
            switch local.peer(of: lease) {
            case .success(let found): peer = found
            case .failure(let found): fault = found
            }
        }
        if peer == nil { tell(fault, of: key, &faults) }
        for flip in arbiter.set(peer, for: key) {
            switch flip {
            case .ends(let peer): tracker.unwant(local.entries(for: peer))
            case .wins(let peer):
                tracker.want(local.entries(for: peer))
                if !faulty.isEmpty, faulty.contains(peer.key) { tell(nil, of: peer.key, &faults) }
            case .loses(let peer, let winner, let matter):
                tell(.contradicts(winner, matter), of: peer.key, &faults)
            }
        }
    }

    private mutating func tell(_ fault: PeerFault?, of key: SubnetKey, _ faults: inout Faults) {
        faults.updateValue(fault, forKey: key)
        if fault == nil { faulty.remove(key) } else { faulty.insert(key) }
    }

    /// This node has become another: looks again at every lease for which that makes a difference.
    ///
    /// - Returns: whether that were all of them, so that no older fault counts.
    @discardableResult
    package mutating func setLocal(
        _ new: LocalNode, leases: some Sequence<Lease>, _ faults: inout Faults
    ) -> Bool {
        let old = local
        guard old != new else { return false }
        local = new
        guard
            (old.node, old.publicIP, old.backend, old.usesNextHops, old.directNetworks)
                == (new.node, new.publicIP, new.backend, new.usesNextHops, new.directNetworks)
        else {
            tracker.unwantAll()
            arbiter = PeerArbiter()
            faulty = []
            for lease in leases { set(lease, for: lease.key, &faults) }
            return true
        }
        let around = old.key == new.key ? [] : [old.key, new.key].compactMap(\.self)
        let addresses = old.addresses.symmetricDifference(new.addresses)
        for lease in leases {
            let isConcerned =
                around.contains { $0.overlaps(lease.key) }
                || addresses.contains { lease.subnet.contains($0) || lease.announcement.publicIP == $0 }
            if isConcerned { set(lease, for: lease.key, &faults) }
        }
        return false
    }
}
