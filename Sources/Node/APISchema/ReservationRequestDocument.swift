// SPDX-License-Identifier: Apache-2.0

/// `ReservationRequest` of openapi.yaml: a subnet is to be kept for a node for good.
package struct ReservationRequestDocument: Codable, Hashable, Sendable {
    package var node: String
    package var publicIP: String
    package var backend: BackendDocument?

    package init(node: String, publicIP: String, backend: BackendDocument? = nil) {
        self.node = node
        self.publicIP = publicIP
        self.backend = backend
    }
}
