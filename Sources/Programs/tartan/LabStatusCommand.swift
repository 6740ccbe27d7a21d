// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Lab

struct LabStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what of a lab runs; exit code 1 unless all of it does.")

    @OptionGroup var options: LabNameOptions
    @OptionGroup var form: OutputOptions

    func run() async throws {
        let lab = try options.lab()
        // Whose processes can't be seen would look as if they had ended.
        if LabSweep(lab).findsAnything { try LabPrivilege.check() }
        let status = await LabStatus(of: lab)
        try form.output.show(status) { LabText.status(status, colour: Terminal.hasColour) }
        if status.state != .up { throw ExitCode(ExitStatus.refused.rawValue) }
    }
}

struct LabDownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Takes a lab down, also one that is only half there.")

    @OptionGroup var options: LabNameOptions

    func run() async throws {
        let lab = try options.lab()
        let sweep = LabSweep(lab)
        guard sweep.findsAnything else {
            Terminal.progress("there is nothing of the lab '\(lab)'")
            return
        }
        try LabPrivilege.check()
        Terminal.progress("taking down the lab '\(lab)'")
        try await sweep.run()
    }
}
