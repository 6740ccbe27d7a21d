// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What was wrong with the arguments, as one sentence that says where the right ones are told.
enum UsageSentence {
    /// - Parameters:
    ///   - message: the argument parser's own, of one or two sentences.
    ///   - arguments: the program's, its name first.
    static func text(_ message: String, arguments: [String]) -> String {
        var text = message.replacing(". Please provide one of ", with: "; it must be one of ")
        if let hint = text.firstRange(of: ". Did you mean "), text.hasSuffix("?") {
            text = "\(text[..<hint.lowerBound]) (did you mean \(text[hint.upperBound...]))"
        }
        while text.last == "." { text.removeLast() }
        if text.dropFirst().first?.isLowercase == true { text = text.prefix(1).lowercased() + text.dropFirst() }
        return "\(text); see '\(command(arguments)) --help'"
    }

    /// The innermost command that the arguments name.
    private static func command(_ arguments: [String]) -> String {
        var names = ["tartan"]
        var commands = TartanCommand.configuration.subcommands
        for argument in arguments.dropFirst() where !argument.hasPrefix("-") {
            guard
                let next = commands.first(where: {
                    $0.configuration.commandName == argument && $0.configuration.shouldDisplay
                })
            else { break }
            names.append(argument)
            commands = next.configuration.subcommands
        }
        return names.joined(separator: " ")
    }
}
