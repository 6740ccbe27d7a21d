// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// Who this node is, and what it remembers of itself: enough to tell its own lease from everybody else's.
package struct NodeIdentity: Hashable, Sendable {
    package let node: NodeID
    package let publicIP: IPv4Address
    package let publicIPv6: IPv6Address?
    /// The subnet that the node itself noted when it last ran here: proof that a lease of it is its own.
    package let remembered: SubnetKey?
    /// A subnet that the node would like if it is free, because the subnet file names it: no proof of anything.
    package let preferred: SubnetKey?
    /// The MAC address that the node made for itself and keeps: nobody else can have it by chance.
    package let mac: MACAddress?

    package init(
        node: NodeID, publicIP: IPv4Address, publicIPv6: IPv6Address? = nil, remembered: SubnetKey? = nil,
        preferred: SubnetKey? = nil, mac: MACAddress? = nil
    ) {
        self.node = node
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
        self.remembered = remembered
        self.preferred = preferred
        self.mac = mac
    }

    /// What a look through the leases says.
    package enum Finding: Hashable, Sendable {
        case none
        case own(Lease)
        /// A lease that bears this node's name or public address, and is another's.
        case conflict(IdentityConflict)
    }

    /// Finds the node's own lease: by name, then by public address, then by the remembered subnet.
    ///
    /// A lease with the node's name but another address is its own only if something else that the node remembers
    /// (its MAC address, its subnet) says so: a second machine may have been given the same name. The same holds for
    /// a lease with the node's address under another name. A lease without a name is flannel's: the address decides.
    package func find(in leases: some Sequence<Lease>) -> Finding {
        var best: (rank: Int, lease: Lease)?
        var conflict: IdentityConflict?
        for lease in leases {
            switch judge(lease) {
            case .none: continue
            case .conflict(let found):
                if conflict.map({ found.lease.createRevision < $0.lease.createRevision }) ?? true { conflict = found }
            case .own(let rank):
                if let best, (best.rank, best.lease.createRevision.value) <= (rank, lease.createRevision.value) {
                    continue
                }
                best = (rank, lease)
            }
        }
        if let best { return .own(best.lease) }
        return conflict.map(Finding.conflict) ?? .none
    }

    private enum Judgement {
        case none
        case own(rank: Int)
        case conflict(IdentityConflict)
    }

    private func judge(_ lease: Lease) -> Judgement {
        let announcement = lease.announcement
        let sameName = announcement.node == node
        let sameAddress = announcement.publicIP == publicIP
        guard sameName || sameAddress || lease.key == remembered else { return .none }
        if sameName && sameAddress { return .own(rank: 0) }
        let isRemembered = isOwnMAC(announcement.backend) || lease.key == remembered
        if sameName { return isRemembered ? .own(rank: 1) : .conflict(IdentityConflict(lease: lease, shared: .name)) }
        if sameAddress {
            if announcement.node == nil || isRemembered { return .own(rank: 2) }
            return .conflict(IdentityConflict(lease: lease, shared: .publicIP))
        }
        return announcement.node == nil && isOwnMAC(announcement.backend) ? .own(rank: 3) : .none
    }

    private func isOwnMAC(_ backend: LeaseAnnouncement.Backend) -> Bool {
        guard let mac, case .vxlan(let ipv4, let ipv6) = backend else { return false }
        return ipv4?.mac == mac || ipv6?.mac == mac
    }
}

/// Two nodes with one name or one public address.
package struct IdentityConflict: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Shared: Hashable, Sendable {
        case name
        case publicIP
    }

    package let lease: Lease
    package let shared: Shared

    package var description: String {
        let holder = lease.announcement.node.map { "node '\($0)'" } ?? "a node without a name"
        let address = lease.announcement.publicIP
        return switch shared {
        case .name:
            "\(holder) at \(address) already holds \(lease.subnet) under this node's name; give this one another "
                + "--node-name, or release that lease if the node is gone"
        case .publicIP:
            "\(holder) already holds \(lease.subnet) with this node's public address \(address); give this one "
                + "another --public-ip, or release that lease if the node is gone"
        }
    }
}
