// SPDX-License-Identifier: Apache-2.0

/// `LeaseKind` of openapi.yaml.
package enum LeaseKind: String, Codable, CaseIterable, Hashable, Sendable {
    /// Ends when its holder no longer renews it.
    case lease
    /// Never expires.
    case reservation
}
