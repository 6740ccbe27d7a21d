// SPDX-License-Identifier: Apache-2.0

import Subprocess

/// What a program that was run to its end left.
package struct LabAnswer: Hashable, Sendable {
    /// Its exit status, or 128 and the signal that ended it.
    package let status: Int32
    package let output: String
    /// What it said on stderr.
    package let complaint: String

    /// Runs a program, found in `PATH` or by its path, without any input.
    package static func of(_ command: [String]) async throws -> LabAnswer {
        let result = try await Subprocess.run(
            .name("env"), arguments: Arguments(command), output: .string(limit: 1 << 24),
            error: .string(limit: 1 << 20))
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let status): status
            case .signaled(let signal): 128 + signal
            }
        return LabAnswer(status: status, output: result.standardOutput, complaint: result.standardError)
    }

    /// Where a program usually says what was wrong.
    var lastWords: String { Self.lastWords(of: complaint.isEmpty ? output : complaint) }

    /// The last line, without the name of the program of ours that said it.
    static func lastWords(of text: String) -> String {
        guard let line = text.split(separator: "\n").last else { return "it said nothing" }
        let name = ["tartand: ", "tartan: "].first(where: line.hasPrefix) ?? ""
        return String(line.dropFirst(name.count).suffix(400))
    }
}

extension LabCluster {
    /// Runs a program in a place of the lab, such as `pod1`, to its end.
    package nonisolated func exec(_ place: String, _ command: String...) async throws -> LabAnswer {
        try await .of(try launcher(into: place) + command)
    }

    /// What starts a program in a place of the lab: its own command line follows.
    package nonisolated func launcher(into place: String) throws(LabFault) -> [String] {
        guard let found = LabPlace(place) else {
            throw LabFault(.absent, "the lab '\(settings.name)' has no '\(place)'")
        }
        return settings.tools.launcher(into: settings.name.namespace(of: found))
    }
}
