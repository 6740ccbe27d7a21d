// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// The program that was built with these tests, where nobody answers.
@Suite struct UnreachableTests {
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tartan").path()
    private static let reserve = ["reserve", "10.244.20.0/24", "--node", "n", "--public-ip", "10.0.0.1"]

    @Test(arguments: [
        ["leases"], ["leases", "--watch"], ["lease", "10.244.20.0/24"], ["lookup", "10.244.20.7"], ["map"],
        ["network", "show"], ["release", "10.244.20.0/24"], reserve, ["check"],
    ])
    func `a daemon that does not answer is 69 and one sentence`(arguments: [String]) async throws {
        let answer = try await LabAnswer.of([Self.program] + arguments + ["--server", "http://127.0.0.1:1"])
        #expect(answer.status == 69 && answer.output.isEmpty, "\(answer)")
        #expect(answer.complaint.hasPrefix("tartan: no daemon answers at http://127.0.0.1:1; "), "\(answer)")
    }

    @Test(arguments: [
        ["leases"], ["leases", "--watch"], ["lookup", "10.244.20.7"], ["network", "set", "--network", "10.0.0.0/16"],
        ["network", "init", "--network", "10.0.0.0/16"], reserve,
    ])
    func `an etcd that does not answer is as well`(arguments: [String]) async throws {
        let answer = try await LabAnswer.of([Self.program] + arguments + ["--etcd-endpoints", "http://127.0.0.1:1"])
        #expect(answer.status == 69 && answer.output.isEmpty, "\(answer)")
        #expect(answer.complaint.contains("127.0.0.1:1"), "\(answer)")
    }
}
