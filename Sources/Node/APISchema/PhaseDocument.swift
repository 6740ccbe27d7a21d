// SPDX-License-Identifier: Apache-2.0

/// `Phase` of openapi.yaml: where a node stands with its lease.
package enum PhaseDocument: String, Codable, CaseIterable, Hashable, Sendable {
    /// It has none yet.
    case starting
    case leased
    /// A renewal is under way or overdue; the lease is still surely alive.
    case renewing
    /// The lease may have ended: nobody answered a renewal in time.
    case fenced
    case stopping
}
