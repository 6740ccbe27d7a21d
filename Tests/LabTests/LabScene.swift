// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPAddressing
import Lab
import Netlink
import Testing

/// A lab for one test.
enum LabScene {
    static func settings(
        nodes: Int = 2, pods: Int = 1, network: String = "10.244.0.0/16", leaseTTL: String? = nil
    ) throws -> LabSettings {
        try LabSettings(
            name: try randomName(), nodes: nodes, pods: pods, network: try IPv4Prefix(parsing: network),
            leaseTTL: leaseTTL, tools: try #require(Requirements.tools))
    }

    static func randomName() throws -> LabName {
        try LabName("t" + String(UInt64.random(in: 0 ... .max), radix: 36))
    }

    /// Runs a lab for as long as the body takes and leaves nothing of it, however the body ends. What the daemons said
    /// is told where it failed.
    static func with(_ settings: LabSettings, _ body: (LabCluster) async throws -> Void) async throws {
        let cluster = try await LabCluster.up(settings)
        do {
            try await body(cluster)
        } catch {
            for node in await cluster.description.nodes {
                print("--- \(node.name)\n\(try await cluster.log(of: node.name))")
            }
            await cluster.down()
            throw error
        }
        await cluster.down()
        #expect(try await Leftovers.of(settings.name).isEmpty)
    }

    /// Whether a condition comes to hold in time.
    static func eventually(
        within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while try await !condition() {
            guard .now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}

/// What is there of a lab on this machine.
enum Leftovers {
    static func of(_ name: LabName) async throws -> [String] {
        let files = FileManager.default
        var found: [String] = []
        if LabFolder(name).exists { found.append(LabFolder(name).path) }
        found += LabSweep(name).places.map { "namespace \($0)" }
        for mount in try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
        where mount.contains("tartan-\(name)-") || mount.contains("tartan-lab/\(name)/") {
            found.append("mount \(mount)")
        }
        for number in try files.contentsOfDirectory(atPath: "/proc").compactMap({ Int32($0) }) where number != getpid()
        {
            // Of a process that has ended and waits for its parent to notice this is empty.
            guard let command = try? String(contentsOfFile: "/proc/\(number)/cmdline", encoding: .utf8) else {
                continue
            }
            let words = command.split(separator: "\0")
            if words.contains(where: {
                $0.contains("tartan-\(name)-") || $0.contains("/tartan-lab/\(name)/") || $0 == "\(name)"
            }) {
                found.append("process \(number): \(words.joined(separator: " "))")
            }
        }
        return found
    }

    /// Names of the links in the tests' own namespace, which a lab has no business in.
    static func links() async throws -> Set<String> {
        Set(try await RouteSocket().links().compactMap(\.name))
    }
}

extension LabCluster {
    /// `ip netns exec`: a second opinion by somebody else's program, entered by somebody else's means.
    nonisolated func ask(_ place: LabPlace, _ command: String...) async throws -> String {
        try await ask(place, command)
    }

    nonisolated func ask(_ place: LabPlace, _ command: [String]) async throws -> String {
        let answer = try await LabAnswer.of(["ip", "netns", "exec", settings.name.namespace(of: place)] + command)
        try #require(answer.status == 0, "\(command): \(answer.complaint)")
        return answer.output
    }

    nonisolated func pings(_ place: String, _ address: String, count: Int = 1) async throws -> Bool {
        let answer = try await exec(place, "ping", "-c", "\(count)", "-i", "0.1", "-W", "2", address)
        return answer.status == 0
    }
}
