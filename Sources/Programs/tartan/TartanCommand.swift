// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TartanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tartan",
        abstract: "Shows and changes who holds which subnet, and builds a cluster on this machine to try it.",
        discussion: """
            It asks the daemon at --server, or with --etcd-endpoints etcd itself.

            Exit codes: 0 success, 1 the answer is no, 64 wrong usage, 69 something needed is not reachable, 70 a bug, \
            77 missing privilege, 78 wrong configuration.
            """,
        version: "tartan \(Version.text)",
        subcommands: [
            LeasesCommand.self, LeaseCommand.self, LookupCommand.self, MapCommand.self, NetworkCommand.self,
            ReserveCommand.self,
            ReleaseCommand.self, CheckCommand.self, HealthCommand.self, LabCommand.self,
            CompletionCommand.self,
        ])
}
