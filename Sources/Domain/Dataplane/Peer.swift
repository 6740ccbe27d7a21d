// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// A lease as far as it matters to this node's kernel and to other leases, in one family of addresses.
package struct Peer<Address: DataplaneAddress>: Hashable, Sendable {
    package let key: SubnetKey
    /// The lease's subnet of this family.
    package let subnet: Prefix<Address>
    /// Who keeps it, where that is known.
    package let node: NodeID?
    package let publicIP: Address
    /// The VTEP's; `nil`: the backend has none.
    package let mac: MACAddress?
    package let createRevision: Revision

    package init(
        key: SubnetKey, subnet: Prefix<Address>, node: NodeID?, publicIP: Address, mac: MACAddress?,
        createRevision: Revision
    ) {
        self.key = key
        self.subnet = subnet
        self.node = node
        self.publicIP = publicIP
        self.mac = mac
        self.createRevision = createRevision
    }

    /// The older one is in the right, on every node alike; of equals, which one transaction may make, the first by
    /// subnet.
    package func isSenior(to other: Peer) -> Bool {
        guard createRevision == other.createRevision else { return createRevision < other.createRevision }
        return key.subnet == other.key.subnet ? key.description < other.key.description : key < other.key
    }

    /// What the two can't both be right about; `nil`: nothing.
    ///
    /// Several leases of one VTEP (the same MAC and public address) agree: a node has two while an old one has not
    /// ended. So do leases of one node, which may have moved: the younger says where it is.
    package func contradiction(with other: Peer) -> PeerContradiction<Address>? {
        if subnet.overlaps(other.subnet) { return .subnet }
        if let node, node == other.node { return nil }
        switch (publicIP == other.publicIP, mac == other.mac) {
        case (true, false): return .publicIP(publicIP)
        case (false, true): return mac.map { .mac($0) }
        case (true, true), (false, false): return nil
        }
    }
}

/// What two leases contradict each other about.
package enum PeerContradiction<Address: DataplaneAddress>: Hashable, Sendable, CustomStringConvertible {
    case subnet
    case publicIP(Address)
    case mac(MACAddress)

    package var description: String {
        switch self {
        case .subnet: "its subnet overlaps"
        case .publicIP(let address): "its public address \(address) is also"
        case .mac(let mac): "its VTEP MAC \(mac) is also"
        }
    }
}
