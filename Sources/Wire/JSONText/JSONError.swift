// SPDX-License-Identifier: Apache-2.0

/// Why a text is not the JSON that was asked for.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes from the start of the text.
    package let offset: Int
    package let reason: String

    package var description: String { "\(reason) at byte \(offset)" }
}
