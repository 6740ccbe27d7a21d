// SPDX-License-Identifier: Apache-2.0

import IPAddressing
package import Leases

/// Verdicts on leases that changed, by lease; `nil`: nothing is wrong with it any more.
package typealias PeerFaults<Address: DataplaneAddress> = [SubnetKey: PeerFault<Address>?]

/// What the leases mean for one family of this node's kernel, kept current lease by lease.
///
/// Each family is judged by itself: what is wrong with one half of a lease does not harm the other.
///
/// Invariant: what ``tracker`` wants are the entries of exactly those leases that are peers of this node and that no
/// older lease contradicts.
package struct PeerTable<Address: DataplaneAddress>: Sendable {
    package private(set) var local: LocalNode<Address>
    package var tracker = DataplaneTracker<Address>()
    private var arbiter = PeerArbiter<Address>()
    /// Leases with a verdict that was told: only of these there is news when all is well.
    private var faulty: Set<SubnetKey> = []

    package init(local: LocalNode<Address>) { self.local = local }

    /// Takes in a lease as it is now; `nil`: it ended.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package mutating func set(_ lease: Lease?, for key: SubnetKey, _ faults: inout PeerFaults<Address>) {
        var peer: Peer<Address>?
        var fault: PeerFault<Address>?
        if let lease {
            switch local.peer(of: lease) {
            case .success(let found): peer = found
            case .failure(let found): fault = found
            }
        }
        if peer == nil {
            if fault != .otherFamily {
                tell(fault, of: key, &faults)
            } else if faulty.contains(key) {
                tell(nil, of: key, &faults)
            }
        }
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

    private mutating func tell(_ fault: PeerFault<Address>?, of key: SubnetKey, _ faults: inout PeerFaults<Address>) {
        faults.updateValue(fault, forKey: key)
        if fault == nil { faulty.remove(key) } else { faulty.insert(key) }
    }

    /// This node has become another: looks again at every lease for which that makes a difference.
    ///
    /// - Returns: whether that were all of them, so that no older fault counts.
    @discardableResult
    package mutating func setLocal(
        _ new: LocalNode<Address>, leases: some Sequence<Lease>, _ faults: inout PeerFaults<Address>
    ) -> Bool {
        let old = local
        guard old != new else { return false }
        local = new
        guard
            (old.node, old.publicIP, old.backend, old.usesNextHops, old.directNetworks, old.family)
                == (new.node, new.publicIP, new.backend, new.usesNextHops, new.directNetworks, new.family)
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
                || addresses.contains { address in
                    Address.subnet(of: lease.key)?.contains(address) ?? false
                        || Address.publicIP(of: lease.announcement) == address
                }
            if isConcerned { set(lease, for: lease.key, &faults) }
        }
        return false
    }
}
