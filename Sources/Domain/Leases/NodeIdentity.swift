// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// Who this node is, and what it remembers of itself: enough to tell its own lease from everybody else's.
package struct NodeIdentity: Hashable, Sendable {
    package let node: NodeID
    package private(set) var publicIP: IPv4Address
    package private(set) var publicIPv6: IPv6Address?
    /// Addresses that this very process announced before: what it wrote then is its own as well.
    private var formerIPs: Set<IPv4Address> = []
    private var formerIPv6s: Set<IPv6Address> = []
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

    /// The same node at other addresses.
    func moved(to address: IPv4Address, _ ipv6: IPv6Address?) -> Self {
        var moved = self
        moved.formerIPs.insert(publicIP)
        moved.formerIPs.remove(address)
        if let publicIPv6 { moved.formerIPv6s.insert(publicIPv6) }
        if let ipv6 { moved.formerIPv6s.remove(ipv6) }
        (moved.publicIP, moved.publicIPv6) = (address, ipv6)
        return moved
    }

    /// Whether a lease bears this node's name and an address that it has, or had while it ran.
    func isNamedAndPlaced(_ lease: Lease) -> Bool {
        let announcement = lease.announcement
        guard announcement.node == node else { return false }
        if hasAddress(of: announcement) { return true }
        // Without IPv4 all say the same of it.
        guard announcement.publicIP == .any else { return formerIPs.contains(announcement.publicIP) }
        guard let address = announcement.publicIPv6 else { return false }
        // The node may have got an IPv4 address since it wrote that.
        return address == publicIPv6 || formerIPv6s.contains(address)
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
    /// (its MAC address, or its subnet where no MAC speaks against it) says so: a second machine may have been given
    /// the same name, and by its name's hash choose the very subnet that this one had. The same holds for a lease with
    /// the node's address under another name. A lease without a name is flannel's: the address decides.
    ///
    /// A lease that may be in use goes before a reservation; a node that has both keeps the one its pods live in. An
    /// own lease goes before a contradicting one only if it says the same of the node already and is the older: with
    /// a new name or address the node would be the second to have it.
    package func find(in leases: some Sequence<Lease>) -> Finding {
        var best: (order: (Int, Int, Int64), lease: Lease)?
        var conflict: IdentityConflict?
        for lease in leases {
            switch relation(to: lease) {
            case .none: continue
            case .conflict(let found):
                if conflict.map({ found.lease.createRevision < $0.lease.createRevision }) ?? true { conflict = found }
            case .own(let rank):
                let order = (lease.grantID == nil ? 1 : 0, rank, lease.createRevision.value)
                if let best, best.order <= order { continue }
                best = (order, lease)
            }
        }
        guard let best else { return conflict.map(Finding.conflict) ?? .none }
        guard let conflict, best.order.1 > 0 || conflict.lease.createRevision < best.lease.createRevision else {
            return .own(best.lease)
        }
        return .conflict(conflict)
    }

    /// What one lease is to this node.
    package enum Relation: Hashable, Sendable {
        case none
        /// The lower the rank, the better the proof; 0: name and address.
        case own(rank: Int)
        case conflict(IdentityConflict)
    }

    package func relation(to lease: Lease) -> Relation {
        let announcement = lease.announcement
        let sameName = announcement.node == node
        let sameAddress = hasAddress(of: announcement)
        guard sameName || sameAddress || lease.key == remembered else { return .none }
        if isNamedAndPlaced(lease) { return .own(rank: 0) }
        let isRemembered = isOwnMAC(announcement.backend) || lease.key == remembered && !bearsOtherMAC(lease)
        if sameName {
            return isRemembered || Self.isUnclaimed(lease)
                ? .own(rank: 1) : .conflict(IdentityConflict(lease: lease, shared: .name))
        }
        if sameAddress {
            if announcement.node == nil || isRemembered { return .own(rank: 2) }
            return .conflict(IdentityConflict(lease: lease, shared: .publicIP))
        }
        return announcement.node == nil && isOwnMAC(announcement.backend) ? .own(rank: 3) : .none
    }

    /// Whether the lease says this node's public address: that of IPv4 where there is one.
    package func hasAddress(of announcement: LeaseAnnouncement) -> Bool {
        guard publicIP == .any, announcement.publicIP == .any else { return announcement.publicIP == publicIP }
        return publicIPv6 != nil && announcement.publicIPv6 == publicIPv6
    }

    /// Whether the lease is this very process's, or of one before it: name, address, and the MAC where both say one.
    package func isSelf(_ lease: Lease) -> Bool {
        isNamedAndPlaced(lease) && !bearsOtherMAC(lease)
    }

    private func bearsOtherMAC(_ lease: Lease) -> Bool {
        guard mac != nil, case .vxlan(let ipv4, let ipv6) = lease.announcement.backend, ipv4 != nil || ipv6 != nil
        else { return false }
        return !isOwnMAC(lease.announcement.backend)
    }

    package func bearsOwnMAC(_ lease: Lease) -> Bool { isOwnMAC(lease.announcement.backend) }

    /// A reservation as an operator makes it: it names a node, and whoever has that name may take it. One that a node
    /// has taken says where that node is, and who wrote it.
    private static func isUnclaimed(_ lease: Lease) -> Bool {
        lease.grantID == nil
            && (lease.announcement.owner != .tartan
                || lease.announcement.publicIP == .any && lease.announcement.publicIPv6 == nil)
    }

    private func isOwnMAC(_ backend: LeaseAnnouncement.Backend) -> Bool {
        guard let mac, case .vxlan(let ipv4, let ipv6) = backend else { return false }
        return ipv4?.mac == mac || ipv6?.mac == mac || ipv6?.mac == mac.sibling
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

    package init(lease: Lease, shared: Shared) {
        self.lease = lease
        self.shared = shared
    }

    /// The IPv6 address where there is no other.
    private var ipv6: IPv6Address? { lease.announcement.publicIP == .any ? lease.announcement.publicIPv6 : nil }

    /// The other lease's public address.
    package var address: String { ipv6.map { "\($0)" } ?? "\(lease.announcement.publicIP)" }

    package var description: String {
        let holder = lease.announcement.node.map { "node '\($0)'" } ?? "a node without a name"
        let option = ipv6 == nil ? "--public-ip" : "--public-ipv6"
        return switch shared {
        case .name:
            "\(holder) at \(address) already holds \(lease.key.text) under this node's name; give this one another "
                + "--node-name, or release that lease if the node is gone"
        case .publicIP:
            "\(holder) already holds \(lease.key.text) with this node's public address \(address); give this one "
                + "another \(option), or release that lease if the node is gone"
        }
    }
}
