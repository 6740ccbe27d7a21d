// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

extension JSONText {
    /// The `Lease` of openapi.yaml, field for field what ``LeaseDocument`` encodes to.
    mutating func lease(_ lease: Lease, isLocal: Bool, life: LeaseLife? = nil, token: String? = nil) {
        let announcement = lease.announcement
        raw("{\"subnet\":\"")
        if let subnet = lease.key.ipv4Subnet {
            address(subnet.address)
            raw("/")
            number(subnet.length)
        } else {
            raw(lease.key.text)
        }
        raw("\",\"ipv6Subnet\":")
        string(lease.key.ipv6Subnet.map { "\($0)" })
        raw(",\"node\":")
        string(announcement.node?.name)
        raw(",\"publicIP\":\"")
        address(announcement.publicIP)
        raw("\",\"publicIPv6\":")
        string(announcement.publicIPv6.map { "\($0)" })
        raw(lease.grantID == nil ? ",\"kind\":\"reservation\",\"owner\":" : ",\"kind\":\"lease\",\"owner\":")
        string(announcement.owner.name)
        raw(",\"backend\":")
        backend(announcement.backend)
        raw(",\"etcdLease\":")
        string(lease.grantID.map { "\($0)" })
        raw(",\"createRevision\":\"")
        number(lease.createRevision.value)
        raw("\",\"modRevision\":\"")
        number(lease.modRevision.value)
        raw("\",\"expiresAt\":")
        string(life?.expiresAt)
        raw(isLocal ? ",\"local\":true" : ",\"local\":false")
        if let life {
            raw(",\"ttl\":")
            number(life.seconds)
        }
        if let token {
            raw(",\"token\":")
            string(token)
        }
        raw("}")
    }

    private mutating func backend(_ backend: LeaseAnnouncement.Backend) {
        raw("{\"type\":")
        string(backend.type)
        if let vxlan = backend.vxlan {
            raw(",\"vni\":")
            number(vxlan.vni)
            raw(",\"vtepMAC\":\"")
            raw(vxlan.mac.description)
            raw("\"}")
        } else {
            raw(",\"vni\":null,\"vtepMAC\":null}")
        }
    }
}
