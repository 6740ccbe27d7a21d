// SPDX-License-Identifier: Apache-2.0

/// One place where the endpoint listens, and whether anything may be changed there.
package struct APIListener: Hashable, Sendable, CustomStringConvertible {
    package var address: ListenAddress
    /// Of `--api-listen-readonly`: whatever would change something is refused.
    package var isReadOnly: Bool

    package init(_ address: ListenAddress, isReadOnly: Bool = false) {
        self.address = address
        self.isReadOnly = isReadOnly
    }

    package var description: String { isReadOnly ? "\(address) (read only)" : "\(address)" }
}
