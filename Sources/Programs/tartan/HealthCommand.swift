// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import NodeClient

/// The probe of a container's health check, and of scripts.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a daemon whether it is ready, and says what is missing where it is not.",
        discussion: "Exit code 0 says yes, 1 no, 69 that no daemon answers.")

    @Flag(help: "Ask only whether the daemon answers, ready or not.")
    var live = false
    @OptionGroup var options: SourceOptions

    func validate() throws {
        guard options.etcd.etcdEndpoints == nil else {
            throw ValidationError("only a daemon is ready or not; give --server instead of --etcd-endpoints")
        }
    }

    func run() async throws {
        let client = try options.client()
        if live {
            try await client.checkLife()
        } else if let reasons = try await client.unreadiness() {
            throw ProgramError(.refused, Self.sentence(reasons))
        }
        try Terminal.out("ok\n")
    }

    /// The lines of `/readyz?verbose` that say what is wrong, as one sentence.
    static func sentence(_ reasons: String) -> String {
        let marker = "[-]"
        let failed = reasons.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(marker) }
            .map { String($0.dropFirst(marker.count)) }
        return "the daemon is not ready: "
            + (failed.isEmpty ? "it does not say why; see its log" : failed.joined(separator: "; "))
    }
}
