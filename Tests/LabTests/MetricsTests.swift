// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Lab
import Testing

/// /metrics of running daemons, by the word of Prometheus' own tool; and what is built upon it.
@Suite(
    .enabled(if: Requirements.areMet, Requirements.reason),
    .enabled(if: PromTool.isInstalled, "needs promtool: Debian's prometheus"), .timeLimit(.minutes(2)))
struct MetricsTests {
    private func get(_ path: String, _ node: LabDescription.Node, _ http: CurlClient) async throws -> String {
        let response = try await http.send(
            CurlRequest(url: "http://tartan\(path)", unixSocketPath: String(node.server.dropFirst("unix:".count))))
        return String(decoding: response.body, as: UTF8.self)
    }

    @Test func `two nodes' metrics are what Prometheus reads, and the dashboard and the alerts use no others`()
        async throws
    {
        let http = CurlClient()
        try await LabScene.with(try LabScene.settings(leaseTTL: "6s")) { cluster in
            let nodes = await cluster.description.nodes
            let node = try #require(nodes.first)
            _ = try await get("/v1/leases", node, http)
            var text = ""
            let isThere = try await LabScene.eventually {
                text = try await get("/metrics", node, http)
                return [
                    "tartan_lease_renewals_total{outcome=\"renewed\"} 1", "tartan_kernel_entries{state=\"wanted\"} 4",
                ]
                .allSatisfy(text.contains)
            }
            #expect(isThere, "\(text)")
            #expect(text.contains("tartan_kernel_entries{state=\"present\"} 4\n"), "\(text)")
            #expect(text.contains("tartan_leases{kind=\"lease\",state=\"ok\"} 2\n"), "\(text)")
            #expect(text.contains("tartan_etcd_requests_total{operation=\"lease_keepalive\",outcome=\"answered\"} "))
            let check = try await PromTool.run(["check", "metrics"], input: text)
            #expect(check.status == 0 && check.text.isEmpty, "\(check.text)")

            // What others delete is put back, and counted.
            let peer = try #require(nodes.last?.subnet)
            _ = try await cluster.ask(.node(1), "ip", "route", "del", peer)
            let isRepaired = try await LabScene.eventually {
                try await get("/metrics", node, http).contains("tartan_kernel_repairs_total{kind=\"route\"} 1\n")
            }
            #expect(isRepaired)

            let names = Set(
                text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
                    String($0.prefix { $0 != "{" && $0 != " " })
                })
            let dashboard = try Dashboard().expressions
            #expect(dashboard.count > 20)
            let alerts = try PromTool.alertExpressions()
            #expect(alerts.count > 5)
            for expression in dashboard + alerts {
                let used = PromTool.metrics(in: expression)
                #expect(!used.isEmpty, "\(expression)")
                #expect(used.subtracting(names).subtracting(["up"]).isEmpty, "\(expression)")
            }
        }
        await http.shutdown()
    }

    @Test func `every expression of the dashboard can be read`() async throws {
        let folder = try TemporaryDirectory("rules")
        defer { folder.remove() }
        var rules = "groups:\n  - name: dashboard\n    rules:\n"
        for (number, expression) in try Dashboard().expressions.enumerated() {
            let text = expression.replacingOccurrences(of: "$__rate_interval", with: "5m")
            rules += "      - record: panel:\(number)\n        expr: '\(text)'\n"
        }
        try Data(rules.utf8).write(to: URL(filePath: "\(folder.path)/rules.yaml"))
        let check = try await PromTool.run(["check", "rules", "\(folder.path)/rules.yaml"])
        #expect(check.status == 0, "\(check.text)")
    }

    @Test func `the alerts come where they must and nowhere else, and each says what to do`() async throws {
        let check = try await PromTool.run(["check", "rules", "\(PromTool.alerts)"])
        #expect(check.status == 0, "\(check.text)")
        let test = try await PromTool.run(["test", "rules", "\(PromTool.folder)/alerts_test.yaml"])
        #expect(test.status == 0, "\(test.text)")
        let text = try String(contentsOfFile: PromTool.alerts, encoding: .utf8)
        let count = text.split(separator: "\n").count { $0.contains("- alert:") }
        for word in ["summary:", "description:", "runbook:", "severity:"] {
            #expect(text.components(separatedBy: word).count - 1 == count, "\(word)")
        }
        // Each runbook is a heading of the guide, in GitHub's spelling.
        guard let guide = try? String(contentsOfFile: "\(PromTool.root)/deploy/OPERATIONS.md", encoding: .utf8) else {
            print("there is no deploy/OPERATIONS.md to look for the runbooks in")
            return
        }
        let anchors = Set(
            guide.split(separator: "\n").filter { $0.hasPrefix("#") }.map {
                $0.drop { $0 == "#" || $0 == " " }.lowercased().replacingOccurrences(of: " ", with: "-")
                    .filter { $0.isLetter || $0.isNumber || $0 == "-" }
            })
        for line in text.split(separator: "\n") where line.contains("runbook:") {
            let parts = line.split(separator: "#")
            #expect(
                parts[0].hasSuffix("runbook: deploy/OPERATIONS.md") && anchors.contains(String(parts[1])), "\(line)")
        }
    }
}

/// deploy/grafana/tartan.json.
struct Dashboard {
    private struct File: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { let expr: String }
            let targets: [Target]
        }
        let panels: [Panel]
    }

    let expressions: [String]

    init() throws {
        let data = try Data(contentsOf: URL(filePath: "\(PromTool.root)/deploy/grafana/tartan.json"))
        expressions = try JSONDecoder().decode(File.self, from: data).panels.flatMap { $0.targets.map(\.expr) }
    }
}

/// Prometheus' own tool.
enum PromTool {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let folder = "\(root)/deploy/prometheus"
    static let alerts = "\(folder)/alerts.yaml"

    static let isInstalled = ["/usr/bin/promtool", "/usr/local/bin/promtool"]
        .contains { FileManager.default.isExecutableFile(atPath: $0) }

    static func run(_ arguments: [String], input: String? = nil) async throws -> (status: Int32, text: String) {
        let folder = try TemporaryDirectory("promtool")
        defer { folder.remove() }
        var command = ["promtool"] + arguments
        if let input {
            let file = "\(folder.path)/input"
            try Data(input.utf8).write(to: URL(filePath: file))
            command = ["sh", "-c", "exec \"$@\" <\(file)", "sh"] + command
        }
        let answer = try await LabAnswer.of(command)
        return (answer.status, answer.output + answer.complaint)
    }

    /// Names of metrics in an expression: of ours, of every process', and `up`.
    static func metrics(in expression: String) -> Set<String> {
        let words = expression.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
        return Set(words.filter { $0.hasPrefix("tartan_") || $0.hasPrefix("process_") || $0 == "up" })
    }

    /// What stands behind `expr:`, folded lines included.
    static func alertExpressions() throws -> [String] {
        let lines = try String(contentsOfFile: alerts, encoding: .utf8).components(separatedBy: "\n")
        var expressions: [String] = []
        var isInside = false
        for line in lines {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("expr:") {
                expressions.append(String(text.dropFirst(5)))
                isInside = text.hasSuffix(">-")
            } else if isInside, text.hasPrefix("for:") || text.hasPrefix("labels:") {
                isInside = false
            } else if isInside {
                expressions[expressions.count - 1] += " " + text
            }
        }
        return expressions
    }
}
