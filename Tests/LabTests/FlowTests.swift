// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// One TCP connection between two pods, which runs through what happens to the nodes under it.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct FlowTests {
    /// What iperf3 said so far, by its client.
    private struct Flow {
        let log: String

        var text: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

        /// For each interval that is over, whether something was sent in it: sending stops when the window is full.
        var intervals: [Bool] {
            text.split(separator: "\n").filter { $0.hasPrefix("[") && $0.contains("-") && $0.contains("bits/sec") }
                .map { !$0.contains(" 0.00 bits/sec") }
        }

        /// Waits until bytes flow in three intervals that begin after now.
        func goesOn() async throws -> Bool {
            let seen = intervals.count
            return try await LabScene.eventually { intervals.dropFirst(seen + 1).count(where: \.self) >= 3 }
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/iperf3"), "needs Debian's iperf3"))
    func `a TCP flow goes on through a restart, a repaired route and a peer's new MAC address`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let lab = await cluster.description
            let serverLog = "\(lab.folder)/iperf-server.log"
            let server = try await ChildProcess.start(
                try cluster.launcher(into: "pod2") + ["iperf3", "-s", "--forceflush"], log: serverLog)
            let isUp = try await LabScene.eventually {
                ((try? String(contentsOfFile: serverLog, encoding: .utf8)) ?? "").contains("listening")
            }
            #expect(isUp)
            let flow = Flow(log: "\(lab.folder)/iperf-client.log")
            let client = try await ChildProcess.start(
                try cluster.launcher(into: "pod1")
                    + [
                        "iperf3", "-c", lab.pods[1].address, "-t", "100", "-i", "0.2", "-b", "20M", "-l", "16K",
                        "--forceflush",
                    ], log: flow.log)
            #expect(try await flow.goesOn(), "\(flow.text.suffix(400))")

            // A restart of the daemon.
            #expect(try await cluster.stopDaemon("node1") == 0)
            #expect(try await flow.goesOn(), "while no daemon runs: \(flow.text.suffix(400))")
            try await cluster.startDaemon("node1")
            #expect(try await flow.goesOn(), "after a restart: \(flow.text.suffix(400))")

            // A route that another program removes.
            let peer = try #require(lab.nodes[1].subnet)
            func route() async throws -> String { try await cluster.ask(.node(1), "ip", "route", "show", peer) }
            _ = try await cluster.ask(.node(1), "ip", "route", "delete", peer, "proto", "116")
            #expect(try await LabScene.eventually { try await route().contains("proto 116") })
            #expect(try await flow.goesOn(), "after a repaired route: \(flow.text.suffix(400))")

            // The peer comes back with another MAC address.
            func mac() async throws -> String {
                let neighbors = try await cluster.ask(.node(1), "ip", "neigh", "show", "dev", "tartan.1")
                return String(neighbors.split(separator: " ").dropFirst(2).first ?? "")
            }
            let before = try await mac()
            try await cluster.killDaemon("node2")
            _ = try await cluster.ask(.node(2), "ip", "link", "delete", "tartan.1")
            try FileManager.default.removeItem(atPath: lab.nodes[1].stateDir)
            try await cluster.startDaemon("node2")
            let isAnother = try await LabScene.eventually {
                let now = try await mac()
                return !now.isEmpty && now != before
            }
            #expect(isAnother)
            #expect(try await flow.goesOn(), "after a new MAC address: \(flow.text.suffix(400))")

            client.signal(SIGINT)
            await client.ended()
            #expect(!flow.text.contains("error - unable") && !flow.text.contains("reset"), "\(flow.text.suffix(400))")
            let connections = flow.text.split(separator: "\n").count { $0.contains("connected to") }
            #expect(connections == 1)
            await server.stop()
        }
    }

    @Test func `a plan says what would change, first of all, then of what is amiss, and changes nothing`() async throws
    {
        let tartan = try #require(Requirements.tools).tartan
        try await LabScene.with(try LabScene.settings(pods: 0)) { cluster in
            let lab = await cluster.description
            let node = lab.nodes[0]
            let peer = try #require(lab.nodes[1].subnet)
            func plan(_ options: String...) async throws -> [Substring] {
                try await cluster.ask(.node(1), [tartan, "check", "--plan"] + options).split(separator: "\n")
            }
            let straight = ["--etcd-endpoints", lab.etcd.endpoint, "--node-name", node.name, "--iface", "eth0"]
            func plan() async throws -> [Substring] {
                try await cluster.ask(.node(1), [tartan, "check", "--plan"] + straight).split(separator: "\n")
            }
            #expect(try await plan("--server", node.server) == ["# nothing would change"])
            #expect(try await plan() == ["# nothing would change"])
            try await cluster.killDaemon(node.name)
            _ = try await cluster.ask(.node(1), "ip", "route", "delete", peer, "proto", "116")
            let missing = try await plan()
            #expect(missing.count == 1 && missing[0].hasPrefix("ip route add \(peer) nhid"), "\(missing)")
            _ = try await cluster.ask(.node(1), ["sh", "-c", missing.joined(separator: "\n")])
            #expect(try await plan() == ["# nothing would change"])

            // From nothing: what is printed, when typed, is what the daemon then finds to be right.
            func tables() async throws -> [String] {
                var lines: [String] = []
                for command in [
                    "ip route show proto 116", "ip nexthop show proto 116", "ip neigh show dev tartan.1",
                    "bridge fdb show dev tartan.1", "ip -br address show dev tartan.1",
                ] {
                    let output = try await cluster.ask(.node(1), command.split(separator: " ").map(String.init))
                    lines += output.split(separator: "\n").map(String.init).sorted()
                }
                return lines
            }
            let before = try await tables()
            _ = try await cluster.ask(.node(1), "ip", "link", "delete", "tartan.1")
            let all = try await plan()
            #expect(all.count == 8, "\(all)")
            #expect(try await cluster.ask(.node(1), "ip", "link").contains("tartan.1") == false)
            _ = try await cluster.ask(.node(1), ["sh", "-ec", all.joined(separator: "\n")])
            #expect(try await tables() == before)
            #expect(try await plan() == ["# nothing would change"])
        }
    }
}
