// SPDX-License-Identifier: Apache-2.0

/// `LeaseRequest` of openapi.yaml: a subnet is wanted for a node that does not lease for itself.
package struct LeaseRequestDocument: Codable, Hashable, Sendable {
    package var node: String
    package var publicIP: String
    /// A certain one; else any that is free.
    package var subnet: String?
    /// Seconds the lease lives without renewal; the daemon's `--lease-ttl` otherwise.
    package var ttl: Int?
    package var backend: BackendDocument?

    package init(
        node: String, publicIP: String, subnet: String? = nil, ttl: Int? = nil, backend: BackendDocument? = nil
    ) {
        self.node = node
        self.publicIP = publicIP
        self.subnet = subnet
        self.ttl = ttl
        self.backend = backend
    }
}
