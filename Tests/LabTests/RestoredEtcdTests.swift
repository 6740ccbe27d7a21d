// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Glibc
import Lab
import NodeClient
import Testing

/// An etcd set back to a snapshot behind the back of a daemon, and gone on further than it had been.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(3)))
struct RestoredEtcdTests {
    /// Whether the snapshot holds an older lease of the node, or none.
    @Test(arguments: [true, false])
    func `it is noticed although a compaction hides it, and the node's lease is one that is there`(
        knowsLease: Bool
    ) async throws {
        try await LabScene.with(try LabScene.settings(nodes: 1, pods: 0)) { cluster in
            let file = "\(await cluster.description.folder)/snapshot"
            let first = try #require(try await cluster.client(of: "node1").node().lease)
            let grant = try #require(first.etcdLease)
            try await cluster.signalDaemon("node1", SIGSTOP)
            if knowsLease { try await cluster.etcd.saveSnapshot(to: file) }
            try await cluster.etcd.control("lease", "revoke", grant)
            if !knowsLease { try await cluster.etcd.saveSnapshot(to: file) }
            try await cluster.signalDaemon("node1", SIGCONT)
            var second = grant
            let isBack = try await LabScene.eventually {
                guard let node = try? await cluster.client(of: "node1").node(), node.ready else { return false }
                second = node.lease?.etcdLease ?? grant
                return second != grant
            }
            #expect(isBack)
            try await cluster.signalDaemon("node1", SIGSTOP)
            await cluster.etcd.kill()
            try await cluster.etcd.restoreSnapshot(from: file)
            try await cluster.etcd.start()
            for _ in 0..<30 { try await cluster.etcd.control("put", "/x", "y") }
            let status = try await cluster.etcd.control("get", "-w", "json", "/x")
            let revision = try #require(status.firstMatch(of: /"mod_revision":([0-9]+)/)?.1)
            try await cluster.etcd.control("compact", String(revision))
            try await cluster.signalDaemon("node1", SIGCONT)
            let key = "/coreos.com/network/subnets/" + first.subnet.replacingOccurrences(of: "/", with: "-")
            var said = ""
            let isSettled = try await LabScene.eventually(within: .seconds(60)) {
                guard let node = try? await cluster.client(of: "node1").node(), node.ready,
                    let third = node.lease?.etcdLease, third != second, node.lease?.subnet == first.subnet
                else { return false }
                said = try await cluster.etcd.control("lease", "timetolive", "--keys", third)
                return said.contains(key)
            }
            #expect(isSettled, "\(said)")
        }
    }
}
