// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import IPAddressing
import Leases
import NodeAgent

extension LookupDocument {
    init(_ address: IPAddress, lease: Lease?, _ snapshot: NodeStatus.Snapshot) {
        let inNetwork = snapshot.network(contains: address)
        guard let lease else {
            self.init(
                ip: "\(address)", inNetwork: inNetwork, lease: nil, path: nil,
                problem: inNetwork
                    ? "no lease has \(address)" : "\(address) is not within the cluster's network")
            return
        }
        let isLocal = lease.key == snapshot.lease?.key
        let path = snapshot.path(to: address, lease, isLocal: isLocal)
        let steps = PathSteps(to: address, lease, snapshot).documents
        self.init(
            ip: "\(address)", inNetwork: inNetwork, lease: LeaseDocument(lease, isLocal: isLocal), path: path,
            steps: steps,
            problem: steps.compactMap(\.problem).first
                ?? (isLocal ? nil : snapshot.problem(with: lease, path, address)))
    }
}

extension NodeStatus.Snapshot {
    fileprivate func network(contains address: IPAddress) -> Bool {
        guard case .valid(let config) = config else { return false }
        switch address {
        case .v4(let address): return config.hasIPv4 && config.network.contains(address)
        case .v6(let address): return config.ipv6?.network.contains(address) ?? false
        }
    }

    fileprivate func path(to address: IPAddress, _ lease: Lease, isLocal: Bool) -> PathDocument? {
        switch address {
        case .v4: path(lease, IPv4Address.self, dataplane.local, dataplane.device, isLocal)
        case .v6: path(lease, IPv6Address.self, dataplane.ipv6Local, dataplane.ipv6Device, isLocal)
        }
    }

    /// - Parameter local: what this node makes of leases of that family; `nil` before it knows.
    private func path<Address: DataplaneAddress>(
        _ lease: Lease, _ family: Address.Type, _ local: LocalNode<Address>?, _ device: String?, _ isLocal: Bool
    ) -> PathDocument? {
        guard let subnet = Address.subnet(of: lease.key) else { return nil }
        if isLocal { return PathDocument(kind: .local, route: "\(subnet)") }
        guard let underlay = Address.publicIP(of: lease.announcement).map({ "\($0)" }) else { return nil }
        switch lease.announcement.backend {
        case .vxlan(let ipv4, let ipv6):
            guard let vxlan = Address.vtep(ipv4: ipv4, ipv6: ipv6) else { return nil }
            // Without a way through VXLAN it is a direct one.
            if case .success(let entries)? = local?.entries(for: lease), entries.neighbor == nil {
                return PathDocument(kind: .direct, route: "\(subnet)", via: underlay, underlay: underlay)
            }
            return PathDocument(
                kind: .vxlan, route: "\(subnet)", via: "\(subnet.address)", device: device, vtepMAC: "\(vxlan.mac)",
                underlay: underlay)
        case .hostGateway: return PathDocument(kind: .direct, route: "\(subnet)", via: underlay, underlay: underlay)
        case .other: return nil
        }
    }

    fileprivate func problem(with lease: Lease, _ path: PathDocument?, _ address: IPAddress) -> String? {
        let fault = if case .v6 = address { ipv6Faults[lease.key] } else { faults[lease.key] }
        if let fault { return "the lease is not programmed here: \(fault)" }
        if let problem = dataplane.problem { return problem }
        if case .v6 = address, path != nil, dataplane.ipv6Local == nil { return "this node carries no IPv6" }
        return path == nil ? "the backend '\(lease.announcement.backend.type)' is not one that this node can use" : nil
    }
}
