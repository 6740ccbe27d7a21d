// SPDX-License-Identifier: Apache-2.0

import APISchema
import Leases

extension LeaseDocument {
    /// A lease as read from etcd, where no node is this one.
    init(_ lease: Lease) {
        let announcement = lease.announcement
        let owner: String? =
            switch announcement.owner {
            case .tartan: "tartan"
            case .unnamed: nil
            case .other(let name): name
            }
        self.init(
            subnet: lease.key.text, ipv6Subnet: lease.key.ipv6Subnet.map { "\($0)" }, node: announcement.node?.name,
            publicIP: "\(announcement.publicIP)", publicIPv6: announcement.publicIPv6.map { "\($0)" },
            kind: lease.grantID == nil ? .reservation : .lease, owner: owner,
            backend: BackendDocument(announcement.backend),
            etcdLease: lease.grantID.map { String(UInt64(bitPattern: $0.value), radix: 16) },
            createRevision: "\(lease.createRevision)", modRevision: "\(lease.modRevision)", local: false)
    }
}

extension BackendDocument {
    init(_ backend: LeaseAnnouncement.Backend) {
        switch backend {
        case .vxlan(let ipv4, let ipv6):
            let data = ipv4 ?? ipv6
            self.init(type: backend.type, vni: data?.vni, vtepMAC: data.map { "\($0.mac)" })
        case .hostGateway, .other: self.init(type: backend.type)
        }
    }
}

extension LeaseListDocument {
    /// By subnet.
    init(_ table: LeaseTable) {
        self.init(
            revision: "\(table.revision)", items: table.leases.sorted { $0.key < $1.key }.map { LeaseDocument($0) })
    }
}
