// SPDX-License-Identifier: Apache-2.0

/// Why something on this machine could not be set up, as one sentence.
package struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
