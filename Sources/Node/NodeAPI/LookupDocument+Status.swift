// SPDX-License-Identifier: Apache-2.0

import APISchema
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
        let path = isLocal ? PathDocument(kind: .local, route: "\(lease.subnet)") : snapshot.path(to: lease)
        let steps = PathSteps(to: lease, snapshot).documents
        self.init(
            ip: "\(address)", inNetwork: inNetwork, lease: LeaseDocument(lease, isLocal: isLocal), path: path,
            steps: steps,
            problem: steps.compactMap(\.problem).first ?? (isLocal ? nil : snapshot.problem(with: lease, path)))
    }
}

extension NodeStatus.Snapshot {
    fileprivate func network(contains address: IPAddress) -> Bool {
        guard case .valid(let config) = config else { return false }
        switch address {
        case .v4(let address): return config.network.contains(address)
        case .v6(let address): return config.ipv6?.network.contains(address) ?? false
        }
    }

    fileprivate func path(to lease: Lease) -> PathDocument? {
        let (route, underlay) = ("\(lease.subnet)", "\(lease.announcement.publicIP)")
        switch lease.announcement.backend {
        case .vxlan(let vxlan?, _):
            return PathDocument(
                kind: .vxlan, route: route, via: "\(lease.subnet.address)", device: dataplane.device,
                vtepMAC: "\(vxlan.mac)", underlay: underlay)
        case .hostGateway: return PathDocument(kind: .direct, route: route, via: underlay, underlay: underlay)
        case .vxlan, .other: return nil
        }
    }

    fileprivate func problem(with lease: Lease, _ path: PathDocument?) -> String? {
        path == nil ? "the backend '\(lease.announcement.backend.type)' is not one that this node can use" : nil
    }
}
