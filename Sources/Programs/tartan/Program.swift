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
                leave(ExitStatus.success.rawValue)
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
            leave(ExitStatus.success.rawValue)
        } catch {
            finish(error)
        }
    }

    /// Ends the program without its libraries' farewells: OpenSSL takes its tables away in exit(3), from under the thread
    /// that may still close connections with them.
    private static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// Says the last word.
    private static func finish(_ error: any Error) -> Never {
        if let code = error as? ExitCode { leave(code.rawValue) }
        let isParsers = error is ValidationError || error is CleanExit || "\(type(of: error))" == "CommandError"
        guard isParsers else {
            let error = ProgramError(error)
            Terminal.complain(error.description)
            leave(error.status.rawValue)
        }
        guard TartanCommand.exitCode(for: error) != .success else {
            // --help, --version, a completion script
            do {
                try Terminal.out(TartanCommand.message(for: error) + "\n")
            } catch {
                finish(error)
            }
            leave(ExitStatus.success.rawValue)
        }
        Terminal.complain(UsageSentence.text(TartanCommand.message(for: error), arguments: CommandLine.arguments))
        leave(ExitStatus.usage.rawValue)
    }
}
