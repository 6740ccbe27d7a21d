// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Lab
import Synchronization

struct LabUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Builds a lab and returns when its pods reach each other.",
        discussion: """
            Ctrl-C takes down what was made so far. Options behind -- go to every tartand.

            With --json it prints one object: name, folder, network, underlay (the prefix of the nodes' addresses), \
            keeper (a process id), etcd {namespace, endpoint, prefix, pid}, nodes [{name, namespace, address, subnet, \
            gateway, mtu, pid, server, subnetFile, conflist, stateDir, log}], pods [{name, namespace, node, address}].
            """)

    @OptionGroup var options: LabOptions
    @Flag(help: "Print every name and address as JSON.")
    var json = false

    func run() async throws {
        let settings = try options.settings()
        try LabPrivilege.check()
        let stops = StopSignals()
        let keeper = try await LabKeeper.start(
            [settings.tools.tartan, "lab", "keep"] + options.arguments(settings))
        let wasInterrupted = Atomic(false)
        let stopping = Task {
            for await _ in stops.stream where !wasInterrupted.exchange(true, ordering: .relaxed) {
                Terminal.complain("interrupted; taking down what was made")
                keeper.stop()
            }
        }
        defer { stopping.cancel() }
        var fault: LabFault?
        for await event in keeper.events {
            switch event {
            case .progress(let text): Terminal.progress(text)
            case .ready where !wasInterrupted.load(ordering: .relaxed): return try show(settings)
            case .ready: break
            case .failed(let found): fault = found
            case .ended:
                // What a shell says of a command that SIGINT ended.
                if wasInterrupted.load(ordering: .relaxed) { throw ExitCode(128 + SIGINT) }
                throw fault ?? LabFault(.failed, "the process that was to keep the lab ended without a word")
            }
        }
    }

    private func show(_ settings: LabSettings) throws {
        guard let lab = LabFolder(settings.name).description else {
            throw ProgramError(.unavailable, "the lab '\(settings.name)' was taken down at once by somebody else")
        }
        if json {
            try OutputForm.json.show(lab) { "" }
        } else {
            try Terminal.out(LabText.description(lab, colour: Terminal.hasColour))
        }
    }
}

/// Keeps a lab for `lab up`, which starts it.
struct LabKeepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keep", abstract: "Builds a lab and keeps it until SIGTERM.", shouldDisplay: false)

    @OptionGroup var options: LabOptions

    func run() async throws { await LabKeeper.keep(try options.settings()) }
}
