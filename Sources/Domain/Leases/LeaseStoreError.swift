// SPDX-License-Identifier: Apache-2.0

/// Why the store did not do what it was asked, classed by what to do next.
package struct LeaseStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Remedy: String, Hashable, Sendable {
        /// The store can't be reached or is not well: the same again later.
        case retry
        /// The store refuses for a reason that only an operator can mend (permission, credentials, full disk): the
        /// same again later, and said loudly.
        case operatorNeeded
        /// Nobody waits for the answer any more.
        case cancelled
    }

    package let remedy: Remedy
    /// A sentence that names the endpoint and the cause.
    package let description: String
    /// Whether the request may have taken effect although no answer came: look before doing it again.
    package let mayHaveApplied: Bool

    package init(remedy: Remedy, description: String, mayHaveApplied: Bool = false) {
        self.remedy = remedy
        self.description = description
        self.mayHaveApplied = mayHaveApplied
    }
}
