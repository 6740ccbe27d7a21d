// SPDX-License-Identifier: Apache-2.0

/// `CheckProblem` of openapi.yaml: a check behind `/readyz` that fails, and why.
package struct CheckProblemDocument: Codable, Hashable, Sendable {
    /// As `/readyz?verbose` names it.
    package var check: String
    /// A sentence.
    package var problem: String

    package init(check: String, problem: String) {
        self.check = check
        self.problem = problem
    }
}
