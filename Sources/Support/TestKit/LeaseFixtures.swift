// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// Leases as tests need them: short to write, plausible in every field.
package enum LeaseFixtures {
    package static func config(
        network: String = "10.244.0.0/16", subnetLength: Int? = nil, min: String? = nil, max: String? = nil,
        backend: String? = "vxlan", vni: Int? = nil, ipv6: String? = nil, hasIPv4: Bool = true,
        directRouting: Bool? = nil
    ) throws -> NetworkConfig {
        var fields = NetworkConfigFields()
        fields.network = network
        fields.subnetLength = subnetLength
        fields.subnetMin = min
        fields.subnetMax = max
        fields.backendType = backend
        fields.vni = vni
        fields.enableIPv6 = ipv6 != nil
        fields.ipv6Network = ipv6
        fields.enableIPv4 = hasIPv4
        fields.directRouting = directRouting
        return try NetworkConfig(fields)
    }

    /// The lease of node `nNUMBER` at 192.168.0.NUMBER and so on.
    package static func lease(
        _ subnet: String, node number: Int, grant: Int64? = nil, revision: Int64 = 10, named: Bool = true
    ) throws -> Lease {
        Lease(
            key: SubnetKey(try IPv4Prefix(parsing: subnet)), announcement: announcement(node: number, named: named),
            kind: .lease(GrantID(grant ?? Int64(1000 + number))), createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    /// The lease of a dual-stack node, at fd20::NUMBER as well; the IPv4 subnet `nil`: of IPv6 alone.
    package static func dualLease(
        _ subnet: String?, _ ipv6Subnet: String, node number: Int, revision: Int64 = 10
    ) throws -> Lease {
        let ipv6 = try IPv6Prefix(parsing: ipv6Subnet)
        let key =
            try subnet.map { SubnetKey(try IPv4Prefix(parsing: $0), ipv6Subnet: ipv6) } ?? SubnetKey(ipv6Subnet: ipv6)
        return Lease(
            key: key,
            announcement: LeaseAnnouncement(
                node: NodeID("n\(number)"), owner: .tartan, publicIP: subnet == nil ? .any : publicIP(number),
                publicIPv6: publicIPv6(number),
                backend: .vxlan(
                    ipv4: subnet == nil ? nil : VXLANAnnouncement(vni: 1, mac: mac(number)),
                    ipv6: VXLANAnnouncement(vni: 1, mac: mac(number).sibling))),
            kind: .lease(GrantID(Int64(1000 + number))), createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    package static func publicIPv6(_ number: Int) -> IPv6Address {
        IPv6Address(bits: UInt128(0xFD20) << 112 + UInt128(number))
    }

    package static func announcement(node number: Int, named: Bool = true) -> LeaseAnnouncement {
        LeaseAnnouncement(
            node: named ? NodeID("n\(number)") : nil, owner: named ? .tartan : .unnamed, publicIP: publicIP(number),
            backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: mac(number)), ipv6: nil))
    }

    package static func publicIP(_ number: Int) -> IPv4Address {
        IPv4Address(bits: 0xC0A8_0000 + UInt32(truncatingIfNeeded: number))
    }

    package static func mac(_ number: Int) -> MACAddress {
        MACAddress(bits: 0x0200_0000_0000 + UInt64(truncatingIfNeeded: number))
    }

    package static func snapshot(
        _ leases: [Lease], at revision: Int64, config: ConfigReading? = nil, startsHistory: Bool = false
    ) -> SnapshotPart {
        SnapshotPart(
            revision: Revision(revision), records: leases.map(LeaseRecord.lease), config: config, isFirst: true,
            isLast: true, startsHistory: startsHistory)
    }
}
