// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Lab
import NodeClient
import Testing

/// An etcd set back to a snapshot behind the back of a daemon, and gone on further than it had been.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(3)))
struct RestoredEtcdTests {
    @Test func `it is noticed although a compaction hides it, and the node's lease is put back`() async throws {
        try await LabScene.with(try LabScene.settings(nodes: 1, pods: 0)) { cluster in
            let file = "\(await cluster.description.folder)/snapshot"
            let first = try #require(try await cluster.client(of: "node1").node().lease)
            try await cluster.etcd.saveSnapshot(to: file)
            // The lease that the node has by now is none that the snapshot knows.
            try await cluster.etcd.control("lease", "revoke", try #require(first.etcdLease))
            let isBack = try await LabScene.eventually {
                let lease = try await cluster.client(of: "node1").node().lease
                return lease != nil && lease?.etcdLease != first.etcdLease
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
            let isSettled = try await LabScene.eventually(within: .seconds(60)) {
                guard let node = try? await cluster.client(of: "node1").node(), node.ready, let lease = node.lease,
                    let written = Int(lease.modRevision)
                else { return false }
                return written > Int(revision) ?? 0 && lease.subnet == first.subnet
            }
            #expect(isSettled)
            let lease = try #require(try await cluster.client(of: "node1").node().lease)
            let key = "/coreos.com/network/subnets/" + lease.subnet.replacingOccurrences(of: "/", with: "-")
            let keys = try await cluster.etcd.control("lease", "timetolive", "--keys", try #require(lease.etcdLease))
            #expect(keys.contains(key), "\(keys)")
        }
    }
}
