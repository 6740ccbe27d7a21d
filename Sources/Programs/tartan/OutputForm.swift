// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials

/// How a command shows what it found.
enum OutputForm: String, CaseIterable, ExpressibleByArgument {
    case table
    case json
    case yaml

    /// Writes the document as the REST endpoint has it, or what is made of it for people.
    func show(_ document: some Encodable, table: () -> String) throws {
        switch self {
        case .table: try Terminal.out(table())
        case .json: try Terminal.out(Self.tree(document).json(pretty: true) + "\n")
        case .yaml: try Terminal.out(Self.tree(document).yaml)
        }
    }

    /// The same, one document of a stream.
    func show(next document: some Encodable) throws {
        switch self {
        case .table, .json: try Terminal.out(Self.tree(document).json(pretty: false) + "\n")
        case .yaml: try Terminal.out("---\n" + Self.tree(document).yaml)
        }
    }

    static func tree(_ document: some Encodable) throws -> JSONTree {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try JSONTree(parsing: Array(try encoder.encode(document)))
    }
}

/// `-o`.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o", allowingJoined: true), .long],
        help: "table, json (as the REST endpoint has it) or yaml.")
    var output = OutputForm.table
}
