// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// What one peer needs in the kernel.
package struct PeerEntries<Address: DataplaneAddress>: Hashable, Sendable {
    package var neighbor: Neighbor<Address>?
    package var fdb: FDBEntry<Address>?
    package var nextHop: NextHop<Address>?
    package var route: Route<Address>
    /// Where two peers want one entry otherwise, the higher rank has it: the younger of one node's leases.
    package var rank: Revision

    package init(
        neighbor: Neighbor<Address>?, fdb: FDBEntry<Address>?, nextHop: NextHop<Address>?, route: Route<Address>,
        rank: Revision = .zero
    ) {
        self.neighbor = neighbor
        self.fdb = fdb
        self.nextHop = nextHop
        self.route = route
        self.rank = rank
    }
}

/// This node, as far as it decides what its peers' leases mean for one family of its kernel.
package struct LocalNode<Address: DataplaneAddress>: Hashable, Sendable {
    package var node: NodeID
    package var publicIP: Address
    /// The own VTEP's; `nil` where there is none.
    package var mac: MACAddress?
    /// The own subnet, once there is one.
    package var key: SubnetKey?
    package var backend: BackendConfig
    /// Whether the kernel has next-hop objects.
    package var usesNextHops: Bool
    /// Every address of this host.
    package var addresses: Set<Address>
    /// The networks whose hosts get a plain route: with `host-gw` those of the underlay, which every peer must be on,
    /// with `DirectRouting` the same instead of VXLAN, else none.
    package let directNetworks: [Prefix<Address>]
    /// How the cluster's network is cut into subnets.
    package let family: NetworkConfig.Family<Address>?

    package init(
        node: NodeID, publicIP: Address, mac: MACAddress? = nil, key: SubnetKey?, backend: BackendConfig,
        usesNextHops: Bool, addresses: Set<Address> = [], networks: [Prefix<Address>] = [],
        family: NetworkConfig.Family<Address>? = nil
    ) {
        self.node = node
        self.publicIP = publicIP
        self.mac = mac
        self.key = key
        self.backend = backend
        self.usesNextHops = usesNextHops
        self.addresses = addresses
        directNetworks =
            switch backend {
            case .vxlan(let config): config.directRouting ? networks : []
            case .hostGateway: networks
            case .none: []
            }
        self.family = family
    }

    /// THE function: what a lease means for this node's kernel, if no other lease contradicts it.
    package func entries(for lease: Lease) -> Result<PeerEntries<Address>, PeerFault<Address>> {
        peer(of: lease).map { entries(for: $0) }
    }

    /// The lease as a peer, or why it is none for this node.
    package func peer(of lease: Lease) -> Result<Peer<Address>, PeerFault<Address>> {
        guard backend != .none else { return .failure(.notCarried) }
        let announcement = lease.announcement
        if lease.key == key || announcement.node == node { return .failure(.own) }
        guard let subnet = Address.subnet(of: lease.key) else { return .failure(.otherFamily) }
        if let own = key.flatMap(Address.subnet(of:)), own.overlaps(subnet) {
            return .failure(.overlapsOwnSubnet(own))
        }
        let address = Address.publicIP(of: announcement)
        if let address {
            if address == publicIP || addresses.contains(address) { return .failure(.sharesPublicIP(address)) }
            guard address.isOfOneHost else { return .failure(.badPublicIP(address)) }
        }
        if let covered = addresses.first(where: { subnet.contains($0) }) {
            return .failure(.coversLocalAddress(covered))
        }
        return mac(of: announcement).flatMap { mac in
            guard let address else { return .failure(.missingPublicIP) }
            return .success(
                Peer(
                    key: lease.key, subnet: subnet, node: announcement.node, publicIP: address, mac: mac,
                    createRevision: lease.createRevision))
        }
    }

    /// The VTEP's MAC address, `nil` in a network that needs none.
    private func mac(of announcement: LeaseAnnouncement) -> Result<MACAddress?, PeerFault<Address>> {
        let other = PeerFault<Address>.backend(announcement.backend.type, wanted: backend.type)
        switch backend {
        case .vxlan(let config):
            guard case .vxlan(let ipv4, let ipv6) = announcement.backend else { return .failure(other) }
            guard let vtep = Address.vtep(ipv4: ipv4, ipv6: ipv6) else { return .failure(.missingVTEP) }
            guard vtep.vni == config.vni else { return .failure(.vni(vtep.vni, wanted: config.vni)) }
            guard vtep.mac.bits != 0, !vtep.mac.isMulticast else { return .failure(.badMAC(vtep.mac)) }
            guard vtep.mac != self.mac else { return .failure(.sharesMAC(vtep.mac)) }
            return .success(vtep.mac)
        case .hostGateway:
            guard announcement.backend == .hostGateway else { return .failure(other) }
            // An underlay whose address is a single one says nothing of who is one hop away.
            guard let address = Address.publicIP(of: announcement) else { return .failure(.missingPublicIP) }
            guard directNetworks.isEmpty || directNetworks.contains(where: { $0.contains(address) }) else {
                return .failure(.notOnLink(address))
            }
            return .success(nil)
        case .none:
            return .failure(.notCarried)
        }
    }

    /// A peer's entries; they follow from the peer, the network's config, the underlay's networks and the kernel's kind
    /// alone.
    package func entries(for peer: Peer<Address>) -> PeerEntries<Address> {
        let subnet = peer.subnet
        let mac = directNetworks.contains { $0.contains(peer.publicIP) } ? nil : peer.mac
        let gateway = mac == nil ? peer.publicIP : subnet.address
        let device = mac == nil ? EgressDevice.underlay : .vxlan
        let id = usesNextHops ? Address.nextHopID(gateway: gateway, subnet: subnet, in: family) : nil
        return PeerEntries(
            neighbor: mac.map { Neighbor(address: gateway, mac: $0) },
            fdb: mac.map { FDBEntry(mac: $0, destination: peer.publicIP) },
            nextHop: id.map { NextHop(id: $0, gateway: gateway, device: device) },
            route: Route(destination: subnet, path: id.map { .nextHop($0) } ?? .gateway(gateway, device)),
            rank: peer.createRevision)
    }
}
