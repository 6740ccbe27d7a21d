// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// Many daemons that want a subnet at one moment.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(3)))
struct ManyDaemonsTests {
    private struct Line: Decodable {
        let message: String
        let subnet: String?
        let etcdRequests: String?
    }

    @Test func `fifty daemons at once get fifty subnets for at most four requests each and one a conflict`()
        async throws
    {
        let tools = try #require(Requirements.tools)
        try await EtcdCluster.with(binaries: tools.etcd) { etcd in
            let made = try await LabAnswer.of(
                [tools.tartan, "network", "init", "--network", "10.244.0.0/16", "--etcd-endpoints", etcd.only.endpoint])
            try #require(made.status == 0, "\(made.complaint)")
            let daemons = try await start(50, tools: tools, etcd: etcd)
            let folder = etcd.directory.path
            let isDone = try await LabScene.eventually(within: .seconds(60)) {
                (1...50).allSatisfy { FileManager.default.fileExists(atPath: "\(folder)/n\($0).env") }
            }
            for daemon in daemons { #expect(daemon.isRunning) }
            var subnets: Set<String> = []
            var conflicts = 0
            for number in 1...50 {
                let text = (try? String(contentsOfFile: "\(folder)/n\(number).log", encoding: .utf8)) ?? ""
                let lines = text.split(separator: "\n").compactMap {
                    try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
                }
                let lost = lines.count { $0.message.hasPrefix("another node was quicker") }
                conflicts += lost
                guard let published = lines.first(where: { $0.message == "subnet published" }) else {
                    Issue.record("n\(number) has no subnet: \(text)")
                    continue
                }
                subnets.insert(try #require(published.subnet))
                let requests = try #require(published.etcdRequests.flatMap { Int($0) })
                #expect(requests <= 4 + lost, "n\(number): \(text)")
            }
            #expect(isDone)
            #expect(subnets.count == 50)
            print("50 daemons: \(subnets.count) subnets, \(conflicts) conflicts")
            await withTaskGroup { group in
                for daemon in daemons { group.addTask { await daemon.stop() } }
            }
        }
    }

    private func start(_ count: Int, tools: LabTools, etcd: EtcdCluster) async throws -> [ChildProcess] {
        let folder = etcd.directory.path
        return try await withThrowingTaskGroup { group in
            for number in 1...count {
                group.addTask {
                    try await ChildProcess.start(
                        [
                            tools.tartand, "--dataplane", "none", "--node-name", "n\(number)", "--public-ip",
                            "192.0.2.\(number)", "--etcd-endpoints", etcd.only.endpoint, "--state-dir",
                            "\(folder)/n\(number)", "--subnet-file", "\(folder)/n\(number).env", "--api-listen", "none",
                            "--log-format", "json",
                        ], log: "\(folder)/n\(number).log")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
