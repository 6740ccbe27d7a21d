// SPDX-License-Identifier: Apache-2.0

/// `Lease` of openapi.yaml: a node's hold on a subnet.
///
/// A type of this module is called as its schema with `Document` behind it, because the domain has the plain names.
/// Fields that the contract shows as `null` are written as `null`, not left out. Addresses, prefixes and revisions
/// are texts: JavaScript can't hold etcd's 64-bit revisions in a number.
package struct LeaseDocument: Codable, Hashable, Sendable {
    /// `10.244.20.0/24`.
    package var subnet: String
    package var ipv6Subnet: String?
    /// `null` for a lease whose holder does not give its name, as flannel's do not.
    package var node: String?
    package var publicIP: String
    package var publicIPv6: String?
    package var kind: LeaseKind
    /// `tartan`, or what else the lease says; `null` where it says nothing, as flannel's do.
    package var owner: String?
    package var backend: BackendDocument
    /// The number of etcd's TTL object in hexadecimal, as `etcdctl lease list` prints it; `null` for a reservation.
    package var etcdLease: String?
    package var createRevision: String
    package var modRevision: String
    /// RFC 3339, in UTC; `null` in a list, for a reservation, and where etcd did not say in time.
    package var expiresAt: String?
    /// Whether it is the lease that the answering node lives by.
    package var local: Bool
    /// Seconds until it ends if nobody renews it; only where one lease was asked for, and etcd said.
    package var ttl: Int?
    /// What proves the holder; only in the answer to the request that made the lease.
    package var token: String?

    package init(
        subnet: String, ipv6Subnet: String?, node: String?, publicIP: String, publicIPv6: String?, kind: LeaseKind,
        owner: String?, backend: BackendDocument, etcdLease: String?, createRevision: String, modRevision: String,
        expiresAt: String? = nil, local: Bool, ttl: Int? = nil, token: String? = nil
    ) {
        self.subnet = subnet
        self.ipv6Subnet = ipv6Subnet
        self.node = node
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
        self.kind = kind
        self.owner = owner
        self.backend = backend
        self.etcdLease = etcdLease
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.expiresAt = expiresAt
        self.local = local
        self.ttl = ttl
        self.token = token
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(subnet, forKey: .subnet)
        try container.encode(ipv6Subnet, forKey: .ipv6Subnet)
        try container.encode(node, forKey: .node)
        try container.encode(publicIP, forKey: .publicIP)
        try container.encode(publicIPv6, forKey: .publicIPv6)
        try container.encode(kind, forKey: .kind)
        try container.encode(owner, forKey: .owner)
        try container.encode(backend, forKey: .backend)
        try container.encode(etcdLease, forKey: .etcdLease)
        try container.encode(createRevision, forKey: .createRevision)
        try container.encode(modRevision, forKey: .modRevision)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encode(local, forKey: .local)
        try container.encodeIfPresent(ttl, forKey: .ttl)
        try container.encodeIfPresent(token, forKey: .token)
    }
}
