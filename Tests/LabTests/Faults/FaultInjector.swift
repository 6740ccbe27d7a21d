// SPDX-License-Identifier: Apache-2.0

import APISchema
import Etcd
import Foundation
import Lab
import Leases
import NodeClient
import Synchronization
import Testing

/// Does a fault to a lab, and heals it.
struct FaultInjector: Sendable {
    let cluster: LabCluster
    let client: EtcdClient
    let history: EtcdHistory
    let log: FaultLog
    let ttl: Int
    /// Subnets that the test itself held, in the place of a node, and when.
    let guests = Guests()

    final class Guests: Sendable {
        let beliefs = Mutex<[Belief]>([])
    }

    func run(_ fault: Fault) async throws { try await log.record(fault) { try await perform(fault) } }

    private func perform(_ fault: Fault) async throws {
        let members = fault.members.map { cluster.members[$0 - 1] }
        let node = "node\(fault.node)"
        switch fault.kind {
        case .memberKilled, .twoKilled, .allKilled:
            for member in members { await member.kill() }
            try await last(fault)
            try await start(members)
        case .memberHalted, .twoHalted, .allHalted:
            for member in members { member.halt() }
            try await last(fault)
            for member in members { member.resume() }
        case .memberCut: try await cut("etcd\(fault.members[0])", .wholly, fault)
        case .memberCutFromPeers: try await cut("etcd\(fault.members[0])", .from(port: 2380), fault)
        case .nodeCut, .nodeCutLong: try await cut(node, .wholly, fault)
        case .nodeCutFromEtcd, .nodeCutFromEtcdLong: try await cut(node, .from(port: 2379), fault)
        case .daemonKilled:
            try await cluster.killDaemon(node)
            log.died(node: fault.node)
            try await last(fault)
            try await cluster.startDaemon(node)
        case .daemonHalted:
            try await cluster.signalDaemon(node, SIGSTOP)
            try await last(fault)
            try await cluster.signalDaemon(node, SIGCONT)
        case .keyDeleted: try await deleteKey(of: node)
        case .compacted: try await compact(fault)
        case .restored: try await restore(fault)
        case .takenOver: try await takeOver(node)
        }
    }

    private func last(_ fault: Fault) async throws { try await Task.sleep(for: .seconds(fault.seconds)) }

    private func start(_ members: [EtcdProcess]) async throws {
        for member in members { try await member.launch() }
        for member in members { try await member.ready(within: .seconds(60)) }
    }

    /// What is dropped on the way in, and on the way out.
    private struct Cut {
        let incoming: [String]
        let outgoing: [String]

        static let wholly = Cut(incoming: ["iifname eth0"], outgoing: ["oifname eth0"])

        /// Of a service at that port, whichever end it is on.
        static func from(port: Int) -> Cut {
            let both = ["tcp sport \(port)", "tcp dport \(port)"]
            return Cut(incoming: both, outgoing: both)
        }
    }

    private func cut(_ place: String, _ cut: Cut, _ fault: Fault) async throws {
        try await set(cut, at: place)
        try await last(fault)
        try await heal(place)
    }

    /// One table holds it all, and takes it all along when it goes.
    private func set(_ cut: Cut, at place: String) async throws {
        var script = "add table inet fault"
        for (hook, matches) in [("input", cut.incoming), ("output", cut.outgoing)] {
            script += "; add chain inet fault \(hook) { type filter hook \(hook) priority -300; }"
            for match in matches { script += "; add rule inet fault \(hook) \(match) drop" }
        }
        let answer = try await cluster.exec(place, "nft", script)
        try #require(answer.status == 0, "nft in \(place): \(answer.complaint)")
    }

    private func heal(_ place: String) async throws {
        let answer = try await cluster.exec(place, "nft", "delete table inet fault")
        try #require(answer.status == 0, "nft in \(place): \(answer.complaint)")
    }

    /// The key of a node, once the history has one.
    private func key(of node: String) async throws -> (name: String, entry: EtcdHistory.Entry) {
        #expect(try await LabScene.eventually { history.key(of: node) != nil })
        return try #require(history.key(of: node), "\(node) has no key")
    }

    /// Asks etcd until it does as told: it may have no leader at the moment.
    private func insist<Answer>(_ ask: () async throws -> Answer) async throws -> Answer {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do { return try await ask() } catch { if .now > deadline { throw error } }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func deleteKey(of node: String) async throws {
        let key = try await key(of: node)
        try await insist { _ = try await client.delete(KeyRange(key: history.path(key.name))) }
        let isBack = try await LabScene.eventually {
            history.key(of: node).map { $0.entry.createRevision != key.entry.createRevision } ?? false
        }
        #expect(isBack, "\(node) did not put its key back")
    }

    /// While a node is away another's lease is ended and claimed anew, and the history of that is compacted away.
    private func compact(_ fault: Fault) async throws {
        let node = "node\(fault.node)"
        try await set(.from(port: 2379), at: node)
        let other = FaultSchedule.others.lowerBound + (fault.node - FaultSchedule.others.lowerBound + 1) % 3
        let key = try await key(of: "node\(other)")
        try await insist { _ = try await client.revoke(key.entry.grant) }
        #expect(
            try await LabScene.eventually {
                history.key(of: "node\(other)").map { $0.entry.createRevision != key.entry.createRevision } ?? false
            })
        try await insist {
            let revision = try await client.range(RangeRequest(KeyRange(key: history.path("none")))).header.revision
            try await cluster.members[fault.node % 3].control("compact", "\(revision)")
        }
        try await last(fault)
        try await heal(node)
    }

    /// Sets etcd back to a state from before a lease was given up and claimed again.
    private func restore(_ fault: Fault) async throws {
        let folder = await cluster.description.folder
        let file = "\(folder)/snapshot-\(Moment.now)"
        try await insist { try await cluster.members[0].saveSnapshot(to: file) }
        let key = try await key(of: "node\(fault.node)")
        try await insist { _ = try await client.revoke(key.entry.grant) }
        #expect(
            try await LabScene.eventually {
                history.key(of: "node\(fault.node)").map { $0.entry.grant != key.entry.grant } ?? false
            })
        try await last(fault)
        for member in cluster.members { await member.kill() }
        history.expectReplacement()
        for member in cluster.members { try await member.restoreSnapshot(from: file) }
        try await start(cluster.members)
    }

    /// A node is away until its lease ends; the test takes the subnet, and keeps it until the node has another.
    private func takeOver(_ node: String) async throws {
        // So that it has the whole of a TTL to believe in.
        #expect(try await LabScene.eventually { try await cluster.client(of: node).node().ready })
        let key = try await key(of: node)
        try await set(.from(port: 2379), at: node)
        let isGone = try await LabScene.eventually(within: .seconds(3 * ttl)) { history.current[key.name] == nil }
        try #require(isGone, "the lease of \(node) did not end")
        let grant = try await insist { try await client.grant(ttl: 120) }
        let value =
            #"{"PublicIP":"172.20.0.99","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:99"},"#
            + #""NodeName":"guest","Owner":"tartan"}"#
        let path = history.path(key.name)
        let answer = try await client.transact(
            Transaction(
                when: [.init(path, .createRevision(0))],
                then: [.put(key: path, value: Array(value.utf8), lease: grant.id)]))
        try #require(answer.succeeded)
        let from = Moment.now
        try await heal(node)
        let hasMoved = try await LabScene.eventually(within: .seconds(30)) {
            history.key(of: node).map { $0.name != key.name } ?? false
        }
        #expect(hasMoved, "\(node) has no other subnet")
        guests.beliefs.withLock {
            $0.append(Belief(node: "guest", subnet: key.name, from: from, until: Moment.now))
        }
        try await insist { _ = try await client.revoke(grant.id) }
    }
}
