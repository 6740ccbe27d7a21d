// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// Runs `map_tests.py`: Debian's chromium over a real tartand and etcd. What is expected of the page stands there.
@Suite(.enabled(if: Browser.isThere, Browser.reason), .timeLimit(.minutes(3)))
struct MapPageInBrowserTests {
    @Test func `the map page does in a browser what map_tests.py asks of it`() async throws {
        let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        // Not Python's own cache beside the sources.
        let answer = try await LabAnswer.of([
            "python3", "-B", folder.appending(path: "map_tests.py").path, "\(Browser.programs)/tartand",
        ])
        let told = answer.output + answer.complaint
        #expect(answer.status == 0, "\(told)")
        #expect(told.contains("\nRan "), "\(told)")
    }
}

/// What the tests of the page need beside the programs.
enum Browser {
    /// Where `swift build` puts the programs: beside the tests.
    static let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path

    private static let missing: [String] = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return ["chromium", "python3", "etcd"].filter { tool in
            !path.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
        }
    }()

    static var isThere: Bool { missing.isEmpty }
    static var reason: Comment {
        "needs \(missing.joined(separator: ", ")): Debian's chromium, python3, etcd-server"
    }
}
