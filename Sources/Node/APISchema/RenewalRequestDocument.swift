// SPDX-License-Identifier: Apache-2.0

/// `RenewalRequest` of openapi.yaml: the holder of a lease proves itself.
package struct RenewalRequestDocument: Codable, Hashable, Sendable {
    /// From the answer to the request that made the lease.
    package var token: String

    package init(token: String) { self.token = token }
}
