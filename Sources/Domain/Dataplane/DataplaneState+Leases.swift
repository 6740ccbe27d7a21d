// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// What one peer needs in the kernel.
package struct PeerEntries<Address: BinaryAddress>: Hashable, Sendable {
    package var neighbor: Neighbor<Address>?
    package var fdb: FDBEntry<Address>?
    package var nextHop: NextHop<Address>?
    package var route: Route<Address>

    package init(
        neighbor: Neighbor<Address>?, fdb: FDBEntry<Address>?, nextHop: NextHop<Address>?, route: Route<Address>
    ) {
        self.neighbor = neighbor
        self.fdb = fdb
        self.nextHop = nextHop
        self.route = route
    }
}

/// Why a lease is not programmed.
package enum PeerFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// This node carries no traffic at all.
    case notCarried
    /// It is this node's own.
    case own
    /// It reaches into this node's own subnet, which is never routed away.
    case overlapsOwnSubnet(IPv4Prefix)
    case sharesPublicIP(IPv4Address)
    case backend(String, wanted: String)
    case missingVTEP
    case vni(UInt32, wanted: UInt32)
    case badMAC(MACAddress)
    case badPublicIP(IPv4Address)

    /// Whether an operator should hear of it.
    package var isWorthReporting: Bool { self != .own && self != .notCarried }

    package var description: String {
        switch self {
        case .notCarried: "this node carries no traffic"
        case .own: "it is this node's own"
        case .overlapsOwnSubnet(let own): "it overlaps this node's own subnet \(own)"
        case .sharesPublicIP(let address): "its public address \(address) is this node's"
        case .backend(let type, let wanted): "its backend is '\(type)', this network's is '\(wanted)'"
        case .missingVTEP: "its backend data has no VNI and VtepMAC"
        case .vni(let vni, let wanted): "its VNI is \(vni), this network's is \(wanted)"
        case .badMAC(let mac): "its VTEP MAC \(mac) is not that of one interface"
        case .badPublicIP(let address): "its public address \(address) is not that of one host"
        }
    }
}

/// This node, as far as it decides what its peers' leases mean for its kernel.
package struct LocalNode: Hashable, Sendable {
    package var node: NodeID
    package var publicIP: IPv4Address
    /// The own subnet, once there is one.
    package var key: SubnetKey?
    package var backend: BackendConfig
    /// Whether the kernel has next-hop objects.
    package var usesNextHops: Bool

    package init(node: NodeID, publicIP: IPv4Address, key: SubnetKey?, backend: BackendConfig, usesNextHops: Bool) {
        self.node = node
        self.publicIP = publicIP
        self.key = key
        self.backend = backend
        self.usesNextHops = usesNextHops
    }

    /// THE function: what a lease means for this node's kernel.
    package func entries(for lease: Lease) -> Result<PeerEntries<IPv4Address>, PeerFault> {
        guard backend != .none else { return .failure(.notCarried) }
        let announcement = lease.announcement
        if lease.key == key || announcement.node == node { return .failure(.own) }
        if let key, key.subnet.overlaps(lease.subnet) { return .failure(.overlapsOwnSubnet(key.subnet)) }
        let address = announcement.publicIP
        if address == publicIP { return .failure(.sharesPublicIP(address)) }
        guard !address.isMulticast, !address.isLoopback, address.bits != 0, address.bits != .max else {
            return .failure(.badPublicIP(address))
        }
        switch backend {
        case .vxlan(let config):
            guard case .vxlan(let vtep, _) = announcement.backend else {
                return .failure(.backend(announcement.backend.type, wanted: backend.type))
            }
            guard let vtep else { return .failure(.missingVTEP) }
            guard vtep.vni == config.vni else { return .failure(.vni(vtep.vni, wanted: config.vni)) }
            guard vtep.mac.bits != 0, !vtep.mac.isMulticast else { return .failure(.badMAC(vtep.mac)) }
            let gateway = lease.subnet.address
            return .success(
                entries(
                    to: lease.subnet, via: gateway, device: .vxlan,
                    neighbor: Neighbor(address: gateway, mac: vtep.mac),
                    fdb: FDBEntry(mac: vtep.mac, destination: address)))
        case .hostGateway:
            guard announcement.backend == .hostGateway else {
                return .failure(.backend(announcement.backend.type, wanted: backend.type))
            }
            return .success(entries(to: lease.subnet, via: address, device: .underlay, neighbor: nil, fdb: nil))
        case .none:
            return .failure(.notCarried)
        }
    }

    private func entries(
        to subnet: IPv4Prefix, via gateway: IPv4Address, device: EgressDevice, neighbor: Neighbor<IPv4Address>?,
        fdb: FDBEntry<IPv4Address>?
    ) -> PeerEntries<IPv4Address> {
        guard usesNextHops else {
            return PeerEntries(
                neighbor: neighbor, fdb: fdb, nextHop: nil,
                route: Route(destination: subnet, path: .gateway(gateway, device)))
        }
        let id = NextHopID(gateway: gateway, subnetLength: Int(subnet.length))
        return PeerEntries(
            neighbor: neighbor, fdb: fdb, nextHop: NextHop(id: id, gateway: gateway, device: device),
            route: Route(destination: subnet, path: .nextHop(id)))
    }
}
