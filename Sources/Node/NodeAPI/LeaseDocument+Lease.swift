// SPDX-License-Identifier: Apache-2.0

import APISchema
import Leases

extension LeaseDocument {
    init(_ lease: Lease, isLocal: Bool) {
        let announcement = lease.announcement
        self.init(
            subnet: lease.key.text, ipv6Subnet: lease.key.ipv6Subnet.map { "\($0)" },
            node: announcement.node?.name, publicIP: "\(announcement.publicIP)",
            publicIPv6: announcement.publicIPv6.map { "\($0)" }, kind: LeaseKind(lease.kind),
            owner: announcement.owner.name, backend: BackendDocument(announcement.backend),
            etcdLease: lease.grantID.map { "\($0)" }, createRevision: "\(lease.createRevision)",
            modRevision: "\(lease.modRevision)", local: isLocal)
    }
}

extension LeaseKind {
    init(_ kind: Lease.Kind) {
        switch kind {
        case .lease: self = .lease
        case .reservation: self = .reservation
        }
    }
}

extension BackendDocument {
    init(_ backend: LeaseAnnouncement.Backend) {
        self.init(
            type: backend.type, vni: backend.vxlan?.vni, vtepMAC: backend.vxlan.map { "\($0.mac)" })
    }
}

extension LeaseAnnouncement.Owner {
    /// As in the lease; `nil` where it does not say.
    var name: String? {
        switch self {
        case .tartan: "tartan"
        case .unnamed: nil
        case .other(let name): name
        }
    }
}

extension LeaseAnnouncement.Backend {
    /// The VTEP of the family that carries the packets: IPv4's, where there is one.
    var vxlan: VXLANAnnouncement? {
        guard case .vxlan(let ipv4, let ipv6) = self else { return nil }
        return ipv4 ?? ipv6
    }
}
