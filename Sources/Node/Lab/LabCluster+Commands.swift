// SPDX-License-Identifier: Apache-2.0

import Subprocess

/// What a program that was run to its end left.
package struct LabAnswer: Hashable, Sendable {
    /// Its exit status, or 128 and the signal that ended it.
    package let status: Int32
    /// What it said on either output.
    package let output: String

    package var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
}

extension LabCluster {
    /// Runs a program in a place of the lab, such as `pod1`, to its end.
    package nonisolated func exec(_ place: String, _ command: String...) async throws -> LabAnswer {
        guard let found = LabPlace(place) else {
            throw LabFault(.absent, "the lab '\(settings.name)' has no '\(place)'")
        }
        return try await run(settings.tools.launcher(into: settings.name.namespace(of: found)) + command)
    }

    nonisolated func run(_ command: [String]) async throws -> LabAnswer {
        let result = try await Subprocess.run(
            .name("env"), arguments: Arguments(command), output: .string(limit: 1 << 24), error: .combinedWithOutput)
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let status): status
            case .signaled(let signal): 128 + signal
            }
        return LabAnswer(status: status, output: result.standardOutput)
    }
}
