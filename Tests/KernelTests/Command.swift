// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A second opinion: what iproute2 prints.
enum Command {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the shell's line wrote to its standard output, in that namespace; an error unless it exits with 0.
    @discardableResult
    static func run(in namespace: String, _ line: String) async throws -> String {
        // Not on the caller's thread: waiting there would keep every other test of the process waiting too.
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try run(in: namespace, words: ["sh", "-c", line]) })
            }
        }
    }

    /// The same of programs that print a JSON list of objects (`ip -j`, `bridge -j`).
    static func list(in namespace: String, _ line: String) async throws -> [[String: Any]] {
        let text = try await run(in: namespace, line)
        if text.allSatisfy(\.isWhitespace) { return [] }
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
            .filter { !$0.isEmpty }
    }

    /// Blocks its thread; for what is over in a moment.
    @discardableResult
    static func run(in namespace: String, _ first: String, _ second: String, _ rest: String...) throws -> String {
        try run(in: namespace, words: [first, second] + rest)
    }

    @discardableResult
    static func run(in namespace: String, words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["ip", "netns", "exec", namespace] + words
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(words.joined(separator: " ")): \(complaint)")
        }
        return text
    }
}
