// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Lab

/// Not asynchronous: see ``Program``.
struct LabExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Runs a command in a node or pod of a lab, or on its switch.",
        usage: "tartan lab exec [--name <name>] <place> -- <command> ...",
        discussion: """
            Places are called node1, node2, ..., pod1, pod2, ... and switch. Signals, terminal and exit code are the \
            command's own; 126 and 127 say that it can't be run.
            """)

    @OptionGroup var options: LabNameOptions
    @Argument(help: "Such as pod1.")
    var place: String
    @Argument(parsing: .postTerminator, help: "The command and its arguments.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("say what to run behind --, such as -- ip addr") }
    }

    func run() throws {
        let lab = try options.lab()
        let places = LabSweep(lab).places
        guard !places.isEmpty else {
            throw ProgramError(.unavailable, "there is no lab '\(lab)'; bring it up with 'tartan lab up'")
        }
        guard let place = LabPlace(place), places.contains(place) else {
            throw ProgramError(
                .usage,
                "the lab '\(lab)' has no '\(place)'; it has \(places.map(\.description).joined(separator: " "))")
        }
        try LabPrivilege.check()
        try becoming { try NamespaceEntry.become(command, in: lab.namespace(of: place)) }
    }
}

/// Starts the lab's own programs in its namespaces.
struct LabEnterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enter", abstract: "Becomes a command in a network namespace.", shouldDisplay: false)

    @Argument var namespace: String
    @Argument(parsing: .postTerminator) var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("say what to run behind --") }
    }

    func run() throws {
        try becoming { try NamespaceEntry.become(command, in: namespace, dropsSettings: true) }
    }
}

/// A command that can't be run is told as a shell does.
private func becoming(_ body: () throws -> Never) throws -> Never {
    do {
        try body()
    } catch let error as CommandNotStarted {
        Terminal.complain(error.description)
        throw ExitCode(error.exitStatus)
    }
}
