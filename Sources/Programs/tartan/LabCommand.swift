// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Lab

struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Builds a whole cluster on this one machine, and takes it down.",
        discussion: """
            Each node is a network namespace with a real tartand; etcd is the lab's own; this machine's network is not \
            touched. Needs root.
            """,
        subcommands: [
            LabUpCommand.self, LabStatusCommand.self, LabExecCommand.self, LabDownCommand.self, LabKeepCommand.self,
            LabEnterCommand.self,
        ])
}

/// Which lab.
struct LabNameOptions: ParsableArguments {
    @Option(help: "The lab's name.")
    var name = "lab"

    func lab() throws -> LabName { try LabName(name) }
}
