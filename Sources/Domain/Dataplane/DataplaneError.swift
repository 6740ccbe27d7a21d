// SPDX-License-Identifier: Apache-2.0

/// Why the host was not programmed, classed by what to do next.
package struct DataplaneError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Remedy: String, Hashable, Sendable {
        /// The same again later may work.
        case retry
        /// The picture of the kernel is not true: dump it, then plan again.
        case resync
        /// Not with these privileges.
        case notPermitted
        /// Not with this configuration: an interface that does not exist, an address that no interface has.
        case misconfigured
    }

    package let remedy: Remedy
    /// A sentence that names the operand and the kernel's reason.
    package let description: String

    package init(remedy: Remedy, description: String) {
        self.remedy = remedy
        self.description = description
    }
}
