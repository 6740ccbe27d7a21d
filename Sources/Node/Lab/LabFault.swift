// SPDX-License-Identifier: Apache-2.0

/// Why a lab is not as it was asked for, as one sentence, classed by what the caller can do.
package struct LabFault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// A wish that can't be.
        case usage
        /// A daemon can't use what it is configured with.
        case configuration
        /// This process may not make namespaces.
        case notPermitted
        /// A program that the lab is made of is not installed.
        case missing
        /// There is a lab of that name already.
        case conflict
        /// There is no such lab, or nothing of that name in it.
        case absent
        /// Something did not work out.
        case failed
    }

    package let kind: Kind
    package let description: String

    /// - Parameter status: what a program of ours ended with that could not go on; its meaning is passed on.
    init(ending status: Int32, _ description: String) {
        let kind: Kind =
            switch status {
            case 64: .usage
            case 77: .notPermitted
            case 78: .configuration
            default: .failed
            }
        self.init(kind, description)
    }

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
