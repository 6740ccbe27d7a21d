// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import EtcdStore
import IPAddressing
package import Leases

/// The leases of many nodes, as those would write them.
package struct PeerLeases: Sendable {
    package let count: Int
    package let keys = KeySpace(prefix: "/coreos.com/network")

    /// Puts config and leases into etcd, 100 in a transaction: etcd takes 128 operations at most.
    package init(count: Int) { self.count = count }

    func put(with client: EtcdClient) async throws {
        try await client.put(keys.config, Array(#"{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}"#.utf8))
        let grant = try await client.grant(ttl: 86_400)
        for start in stride(from: 1, through: count, by: 100) {
            let puts = (start...min(count, start + 99)).map { number in
                Transaction.Operation.put(
                    key: keys.key(of: key(number)), value: announcement(number).json, lease: grant.id)
            }
            _ = try await client.transact(Transaction(when: [], then: puts))
        }
    }

    package func key(_ number: Int) -> SubnetKey {
        let address = IPv4Address(bits: 0x0A00_0000 + UInt32(number) << 8)
        return SubnetKey(IPv4Prefix(masking: address, to: 24))
    }

    /// Puts the lease of one more, as a node does when it joins.
    package func put(_ number: Int, with client: EtcdClient) async throws {
        try await client.put(keys.key(of: key(number)), announcement(number).json)
    }

    private func announcement(_ number: Int) -> LeaseAnnouncement {
        LeaseAnnouncement(
            node: NodeID("node-\(number).cluster.example"), owner: .tartan,
            publicIP: IPv4Address(bits: 0xAC10_0000 + UInt32(number)),
            backend: .vxlan(
                ipv4: VXLANAnnouncement(vni: 1, mac: MACAddress(locallyAdministered: UInt64(number))), ipv6: nil))
    }
}

extension IPv4Prefix {
    /// The block of a length that is known to be within 0 to 32.
    fileprivate init(masking address: IPv4Address, to length: Int) {
        self = IPv4Prefix(address, length: length) ?? IPv4Prefix(host: address)
    }
}
