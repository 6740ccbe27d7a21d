// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A node whose address changes while it runs: the same lease, the same subnet, another announcement.
extension LeaseHolderStateMachine {
    /// The node has other addresses now. They are announced, unless another node's lease bears the new one: then all
    /// stays as it is, for as long as that lease is there.
    package mutating func addressChanged(
        to address: IPv4Address, _ ipv6: IPv6Address?, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard state != .stopped else { return [] }
        let former = addressConflict
        addressConflict = nil
        let (identity, before) = (settings.identity, announcement)
        guard (address, ipv6) != (identity.publicIP, identity.publicIPv6) else { return [] }
        if let holder = holder(of: address, ipv6, in: table.leases) {
            let conflict = AddressConflict(
                address: address, ipv6: ipv6, announced: identity.publicIP, announcedIPv6: identity.publicIPv6,
                holder: holder)
            addressConflict = conflict
            return former == conflict ? [] : [.report(.addressTaken(conflict))]
        }
        settings.identity = identity.moved(to: address, ipv6)
        rewriteAt = nil
        // An IPv6 address in a network without IPv6 is not announced.
        let isNews = announcement == nil || announcement != before
        return (isNews ? [.report(.addressChanged(address, ipv6))] : []) + rewrite(at: now)
    }

    /// Tries again to announce an address that was another's, if it may be free by now.
    mutating func addressFreed(in table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        guard let conflict = addressConflict, table[conflict.holder.key] != conflict.holder else { return [] }
        return addressChanged(to: conflict.address, conflict.ipv6, in: table, at: now)
    }

    /// Another node's lease with that address; the oldest of several.
    private func holder(of address: IPv4Address, _ ipv6: IPv6Address?, in leases: some Sequence<Lease>) -> Lease? {
        let own = lease?.key
        return leases.filter { lease in
            let there = lease.announcement
            // Without IPv4 all say the same of it.
            let isSame = address != .any && there.publicIP == address || ipv6 != nil && there.publicIPv6 == ipv6
            return isSame && lease.key != own
                && lease.announcement.node != settings.identity.node
        }.min { $0.createRevision < $1.createRevision }
    }
}

/// An address that a node got while it ran, and that another node's lease bears.
package struct AddressConflict: Hashable, Sendable, CustomStringConvertible {
    package let address: IPv4Address
    package let ipv6: IPv6Address?
    /// What the node's own lease goes on to say.
    package let announced: IPv4Address
    package let announcedIPv6: IPv6Address?
    package let holder: Lease

    package var description: String {
        let name = holder.announcement.node.map { "node '\($0)'" } ?? "a node without a name"
        let isIPv4 = address != .any && holder.announcement.publicIP == address
        let now = isIPv4 ? "\(address)" : ipv6.map { "\($0)" } ?? ""
        let former = isIPv4 ? (announced == .any ? nil : "\(announced)") : announcedIPv6.map { "\($0)" }
        return "this node's address is \(now) now, with which \(name) holds \(holder.key.text); the lease goes on to "
            + "announce \(former ?? "none of that family"); give this node another address, or release that lease if the node is gone"
    }
}
