// SPDX-License-Identifier: Apache-2.0

/// A key under the leases' prefix whose name or value can't be understood.
///
/// It is reported and skipped, but where its name can be read its subnet is not given to anybody else.
package struct UnreadableLease: Hashable, Sendable {
    /// The last element of the key, as text.
    package let name: String
    /// What the name says, where it says anything.
    package let key: SubnetKey?
    /// What is wrong, as the end of a sentence.
    package let reason: String
    package let modRevision: Revision

    package init(name: String, key: SubnetKey?, reason: String, modRevision: Revision) {
        self.name = name
        self.key = key
        self.reason = reason
        self.modRevision = modRevision
    }
}
