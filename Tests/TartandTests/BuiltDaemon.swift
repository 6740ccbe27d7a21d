// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Subprocess
import SystemPackage
import Testing

/// The `tartand` that was built with these tests, started as a user would.
struct BuiltDaemon {
    struct Outcome {
        /// The exit code; `nil` where a signal ended it.
        let status: Int32?
        let output: String
        let errors: String
    }

    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tartand").path()

    /// Runs it to its end, which must come by itself.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], through launcher: [String] = []
    ) async throws -> Outcome {
        let command = launcher + [path] + arguments
        let overrides = [Environment.Key: String?](
            uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })
        let result = try await Subprocess.run(
            command[0].hasPrefix("/") ? .path(.init(command[0])) : .name(command[0]),
            arguments: Arguments(Array(command.dropFirst())), environment: .inherit.updating(overrides),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        var status: Int32?
        if case .exited(let code) = result.terminationStatus { status = code }
        return Outcome(status: status, output: result.standardOutput, errors: result.standardError)
    }

    /// Runs it for as long as the body takes, then stops it as systemd would; how long that took and what it said.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], while body: @Sendable () async throws -> Void
    ) async throws -> (stopTook: Duration, outcome: Outcome) {
        let folder = try TemporaryFolder()
        let log = "\(folder.path)/stderr"
        let file = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        let overrides = [Environment.Key: String?](
            uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments), environment: .inherit.updating(overrides),
            input: .none, output: .discarded,
            error: .fileDescriptor(file, closeAfterSpawningProcess: true)
        ) { execution in
            do {
                try await body()
            } catch {
                try? execution.send(signal: .kill)
                throw error
            }
            let start = ContinuousClock.now
            try execution.send(signal: .terminate)
            return start
        }
        var status: Int32?
        if case .exited(let code) = result.terminationStatus { status = code }
        let errors = try String(contentsOfFile: log, encoding: .utf8)
        return (.now - result.closureResult, Outcome(status: status, output: "", errors: errors))
    }
}

/// Asks until the answer is the one wanted or the time is over.
@discardableResult
func eventually<Answer: Sendable>(
    within limit: Duration = .seconds(10), _ what: String, _ ask: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    var last: (any Error)?
    while ContinuousClock.now < deadline {
        do {
            if let answer = try await ask() { return answer }
            last = nil
        } catch {
            last = error
        }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw Late(what: what, last: last)
}

struct Late: Error, CustomStringConvertible {
    let what: String
    let last: (any Error)?

    var description: String { "not within its time: \(what)\(last.map { " (last: \($0))" } ?? "")" }
}
