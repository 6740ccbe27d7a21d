// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// A real container runtime as the CNI plugin's client, told of it by the file that the daemon wrote.
@Suite(
    .enabled(if: Requirements.areMet, Requirements.reason),
    .enabled("podman must run here") { await PodmanHost.obstacle() == nil }, .timeLimit(.minutes(3)))
struct PodmanTests {
    private static let plugins = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path

    @Test func `two containers that podman starts on two lab nodes ping each other, and leave nothing`() async throws {
        try await LabScene.with(try LabScene.settings(nodes: 2, pods: 0)) { cluster in
            let folder = try TemporaryDirectory("podman")
            defer { folder.remove() }
            var hosts: [PodmanHost] = []
            for node in await cluster.description.nodes {
                let host = try PodmanHost(
                    "\(folder.path)/\(node.name)", namespace: node.namespace, conflist: node.conflist,
                    plugins: Self.plugins)
                try await host.prepare()
                hosts.append(host)
            }
            do {
                try await Self.visit(hosts, await cluster.description.nodes)
            } catch {
                for host in hosts { await host.clear() }
                throw error
            }
            for host in hosts { await host.clear() }
            #expect(hosts.allSatisfy { $0.reserved.isEmpty })
        }
    }

    private static func visit(_ hosts: [PodmanHost], _ nodes: [LabDescription.Node]) async throws {
        var addresses: [String] = []
        for (number, host) in hosts.enumerated() {
            addresses.append(try await host.start("pod\(number)"))
            #expect(host.reserved == [addresses[number]])
            let network = try #require(nodes[number].subnet).split(separator: ".").prefix(3).joined(separator: ".")
            #expect(addresses[number].hasPrefix(network + "."))
        }
        for (number, host) in hosts.enumerated() {
            let other = addresses[1 - number]
            let answer = try await host.podman(["exec", "pod\(number)", "/bin/ping", "-c1", "-W5", other])
            #expect(answer.contains("1 packets received"), "\(answer)")
            let route = try await host.podman(["exec", "pod\(number)", "/bin/ip", "route"])
            #expect(route.contains("default via "))
        }
        // A restarted container has a link and an address again.
        _ = try await hosts[0].podman(["restart", "--time", "0", "pod0"])
        #expect(hosts[0].reserved.count == 1)
        #expect(hosts[0].reserved != [addresses[0]], "a freed address rests")
    }
}
