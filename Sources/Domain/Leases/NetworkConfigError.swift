// SPDX-License-Identifier: Apache-2.0

/// Why a network config can't be used: the field, what it says and what it should say.
package struct NetworkConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As the field is written in the JSON object, such as `SubnetLen`; empty for the object itself.
    package let field: String
    package let reason: String

    package init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }

    package var description: String { field.isEmpty ? reason : "\(field) \(reason)" }
}
