// SPDX-License-Identifier: Apache-2.0

import Foundation
import Netlink
import Testing

/// Network namespaces that a test made, taken away when the test is over, however it ends.
final class TestNamespaces {
    private var names: [String] = []

    /// Whether this process may make any: why the tests of this target may be skipped.
    static let isPermitted: Bool = {
        let name = "tartan-probe-\(UInt32.random(in: 0 ... .max))"
        defer { try? NetworkNamespace.delete(name: name) }
        return (try? NetworkNamespace.create(name: name)) != nil
    }()

    static let reason: Comment = "needs CAP_NET_ADMIN and CAP_SYS_ADMIN to make network namespaces"

    func make() throws -> String {
        let name = "tartan-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try NetworkNamespace.create(name: name)
        names.append(name)
        return name
    }

    deinit {
        for name in names { try? NetworkNamespace.delete(name: name) }
    }
}

/// A second opinion: what iproute2 prints.
enum Command {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the program wrote to its standard output, in that namespace; an error unless it exits with 0.
    @discardableResult
    static func run(in namespace: String, _ arguments: String...) throws -> String {
        try run(in: namespace, words: arguments)
    }

    @discardableResult
    static func run(in namespace: String, words arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["ip", "netns", "exec", namespace] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(complaint)")
        }
        return text
    }

    /// The same of programs that print a JSON list of objects (`ip -j`, `bridge -j`).
    static func list(in namespace: String, _ line: String) throws -> [[String: Any]] {
        let text = try run(in: namespace, "sh", "-c", line)
        if text.allSatisfy(\.isWhitespace) { return [] }
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
            .filter { !$0.isEmpty }
    }
}
