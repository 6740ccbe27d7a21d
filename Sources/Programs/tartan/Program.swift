// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Glibc

/// `tartan`.
@main
enum Program {
    /// Not `async`: what becomes another program must do so on the first thread, with the signal mask and descriptors
    /// that this program was started with, before any other thread is.
    static func main() {
        do {
            var command = try TartanCommand.parseAsRoot()
            guard command is any AsyncParsableCommand else {
                try command.run()
                exit(ExitStatus.success.rawValue)
            }
        } catch {
            finish(error)
        }
        Task { await runAsynchronously() }
        dispatchMain()
    }

    /// Reads the arguments again: a parsed command can't be handed to another thread.
    private static func runAsynchronously() async {
        do {
            if var command = try TartanCommand.parseAsRoot() as? any AsyncParsableCommand { try await command.run() }
            exit(ExitStatus.success.rawValue)
        } catch {
            finish(error)
        }
    }

    /// Says the last word.
    private static func finish(_ error: any Error) -> Never {
        if let code = error as? ExitCode { exit(code.rawValue) }
        let isParsers = error is ValidationError || error is CleanExit || "\(type(of: error))" == "CommandError"
        guard isParsers else {
            let error = ProgramError(error)
            Terminal.complain(error.description)
            exit(error.status.rawValue)
        }
        guard TartanCommand.exitCode(for: error) != .success else {
            // --help, --version, a completion script
            do {
                try Terminal.out(TartanCommand.message(for: error) + "\n")
            } catch {
                finish(error)
            }
            exit(ExitStatus.success.rawValue)
        }
        Terminal.complain(UsageSentence.text(TartanCommand.message(for: error), arguments: CommandLine.arguments))
        exit(ExitStatus.usage.rawValue)
    }
}
