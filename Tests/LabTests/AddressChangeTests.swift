// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// A node whose underlay changes under the running daemon.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(3)))
struct AddressChangeTests {
    private func leases(_ cluster: LabCluster, of node: String) async throws -> [String: LeaseDocument] {
        Dictionary(
            try await cluster.client(of: node).leases().items.map { ($0.node ?? "", $0) }, uniquingKeysWith: { $1 })
    }

    private func run(_ cluster: LabCluster, _ commands: String...) async throws {
        for command in commands {
            let words = command.split(separator: " ").map(String.init)
            let answer = try await LabAnswer.of(
                ["ip", "netns", "exec", cluster.settings.name.namespace(of: .node(1))] + words)
            try #require(answer.status == 0, "\(command): \(answer.complaint)")
        }
    }

    /// What must be true within the deadline, once node1 is at another address.
    private func expectSettled(_ cluster: LabCluster, at address: String, _ before: [String: LeaseDocument])
        async throws
    {
        let start = ContinuousClock.now
        let lab = await cluster.description
        var ready = ""
        let isSettled = try await LabScene.eventually {
            guard let lease = try await leases(cluster, of: "node2")["node1"], lease.publicIP == address,
                let node = try? await cluster.client(of: "node1").node()
            else { return false }
            ready = "\(node.problems)"
            return node.ready && node.publicIP == address
                && node.lease?.publicIP == address
        }
        #expect(isSettled, "not announced: \(ready)")
        #expect(try await LabScene.eventually { try await cluster.pings("pod1", lab.pods[1].address) })
        #expect(try await cluster.pings("pod2", lab.pods[0].address))
        print("address \(address): announced, and pods reach each other, after \(start.duration(to: .now))")
        let after = try await leases(cluster, of: "node2")
        let (old, new) = (try #require(before["node1"]), try #require(after["node1"]))
        #expect(new.subnet == old.subnet && new.etcdLease == old.etcdLease)
        #expect(new.createRevision == old.createRevision && new.modRevision != old.modRevision)
        #expect(after["node2"]?.modRevision == before["node2"]?.modRevision)
        let device = try await cluster.ask(.node(1), "ip", "-d", "link", "show", "tartan.1")
        #expect(device.contains("local \(address) "), "\(device)")
        let entries = try await cluster.ask(.node(2), "bridge", "fdb", "show", "dev", "tartan.1")
        #expect(entries.contains("dst \(address) "), "\(entries)")
    }

    @Test func `another address is announced by the same lease, and pods reach each other again`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            var before = try await leases(cluster, of: "node2")
            try await run(
                cluster, "ip addr del 172.20.0.11/16 dev eth0", "ip addr add 172.20.0.77/16 dev eth0",
                "ip route replace default via 172.20.0.1")
            try await expectSettled(cluster, at: "172.20.0.77", before)

            // The interface goes, and comes back with another index and another address.
            before = try await leases(cluster, of: "node2")
            let inside = cluster.settings.name.namespace(of: .node(1))
            let outside = cluster.settings.name.namespace(of: .switch)
            try await run(cluster, "ip link del eth0")
            let isMissed = try await LabScene.eventually { try await !cluster.client(of: "node1").node().ready }
            #expect(isMissed)
            for line in [
                "ip -n \(outside) link add node1 type veth peer name eth0 netns \(inside)",
                "ip -n \(outside) link set node1 master br0 up",
            ] {
                let answer = try await LabAnswer.of(line.split(separator: " ").map(String.init))
                try #require(answer.status == 0, "\(line): \(answer.complaint)")
            }
            try await run(
                cluster, "ip link set eth0 up", "ip addr add 172.20.0.88/16 dev eth0",
                "ip route replace default via 172.20.0.1")
            try await expectSettled(cluster, at: "172.20.0.88", before)
        }
    }

    @Test func `the address of another node is not announced, and said`() async throws {
        try await LabScene.with(try LabScene.settings(pods: 0)) { cluster in
            let before = try await leases(cluster, of: "node2")
            // Node 2 has gone from there, but its lease says so still.
            try await cluster.setConnected("node2", false)
            try await run(
                cluster, "ip addr del 172.20.0.11/16 dev eth0", "ip addr add 172.20.0.12/16 dev eth0",
                "ip route replace default via 172.20.0.1")
            let isTold = try await LabScene.eventually {
                let node = try await cluster.client(of: "node1").node()
                return !node.ready
                    && node.problems.contains { $0.problem.contains("with which node 'node2' holds") }
            }
            #expect(isTold)
            let after = try await leases(cluster, of: "node1")
            #expect(after["node1"]?.publicIP == "172.20.0.11")
            #expect(after["node2"]?.modRevision == before["node2"]?.modRevision)
        }
    }
}
