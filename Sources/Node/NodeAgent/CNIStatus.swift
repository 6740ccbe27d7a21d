// SPDX-License-Identifier: Apache-2.0

/// The account of the file that tells container runtimes of the pods' network.
package struct CNIStatus: Hashable, Sendable {
    package var isWritten = false
    /// Why it is not as it should be.
    package var problem: String?
    /// Other networks' files, which container runtimes take before it.
    package var earlier: [String] = []

    package init(isWritten: Bool = false, problem: String? = nil, earlier: [String] = []) {
        self.isWritten = isWritten
        self.problem = problem
        self.earlier = earlier
    }

    /// What keeps pods from being started in this network; `nil`: nothing.
    var readinessProblem: String? {
        problem ?? (isWritten ? nil : "the CNI configuration has not been written yet")
    }

    /// What keeps pods in another network; `nil`: nothing.
    package var precedence: String? {
        guard !earlier.isEmpty else { return nil }
        return
            "container runtimes take \(earlier.joined(separator: ", ")) before this node's CNI configuration; remove or "
            + "rename what is not meant"
    }
}
