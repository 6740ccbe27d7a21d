// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Prints what completes this program's commands and options in a shell.",
        discussion: """
            bash: tartan completion bash > /etc/bash_completion.d/tartan
            zsh:  tartan completion zsh > "${fpath[1]}/_tartan"
            fish: tartan completion fish > ~/.config/fish/completions/tartan.fish
            """)

    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish

        var parsers: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() throws { try Terminal.out(TartanCommand.completionScript(for: shell.parsers) + "\n") }
}
