// SPDX-License-Identifier: Apache-2.0

/// Something broken on purpose, to show that the search finds it.
package enum ModelDefect: String, CaseIterable, Sendable {
    /// The store makes a lease where there is one.
    case overwritesPresent
    /// The store changes a lease whatever was written since it was read.
    case overwritesChanged
    /// The store deletes a lease whatever was written since it was read.
    case releasesChanged
    /// The store says that a grant lives which has ended.
    case renewsGone
    /// Deadlines are counted from the answer to a request, not from its sending.
    case countsFromAnswer
    /// Nodes' clocks run slower than what is allowed for: their deadlines come after etcd's.
    case slowClocks
    /// The feed does not say that etcd was restored.
    case hidesRestore
    /// The feed loses a change now and then.
    case losesChange
}
