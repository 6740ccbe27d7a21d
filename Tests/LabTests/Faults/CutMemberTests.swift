// SPDX-License-Identifier: Apache-2.0

import Etcd
import Lab
import Logging
import Netlink
import Synchronization
import Testing

/// How long a member that a packet filter cuts off keeps its clients waiting.
@Suite(
    .enabled(if: Requirements.areMet, Requirements.reason),
    .enabled(if: FaultSettings.hasNFT, "needs nft: Debian's nftables"), .timeLimit(.minutes(3)))
struct CutMemberTests {
    private static let limit = Duration.seconds(5)
    private let keys = KeyRange(prefix: "/cut/")

    /// What is dropped, in both directions and of connections new and old.
    enum Cut: Sendable {
        /// All: the member is without its peers, too.
        case wholly
        /// Its clients only: it is a good member that answers nobody.
        case fromClients
    }

    private func cut(_ member: Int, _ cut: Cut, in cluster: LabCluster) async throws {
        var script = "add table inet cut"
        for hook in ["input", "output"] {
            script += "; add chain inet cut \(hook) { type filter hook \(hook) priority -300; }"
        }
        let (incoming, outgoing) = cut == .wholly ? ("", "") : ("tcp dport 2379", "tcp sport 2379")
        script += "; add rule inet cut input iifname eth0 \(incoming) drop"
        script += "; add rule inet cut output oifname eth0 \(outgoing) drop"
        let answer = try await cluster.exec("etcd\(member)", "nft", script)
        try #require(answer.status == 0, "nft: \(answer.complaint)")
    }

    private func heal(_ member: Int, in cluster: LabCluster) async throws {
        let answer = try await cluster.exec("etcd\(member)", "nft", "delete table inet cut")
        try #require(answer.status == 0, "nft: \(answer.complaint)")
    }

    /// A client on the switch, whose first choice is that member.
    private func client(of member: Int, in cluster: LabCluster) async throws -> EtcdClient {
        var configuration = try EtcdConfiguration(endpoints: cluster.members.map(\.endpoint))
        configuration.first = member - 1
        let namespace = await cluster.description.etcd.namespace
        return try NetworkNamespace(name: namespace).run { [configuration] () throws(NetlinkError) in
            EtcdClient(configuration: configuration, logger: Logger(label: "cut") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    @Test func `requests, a renewal and a watch go on at another member within 5 s of the cut`() async throws {
        var settings = try LabScene.settings(nodes: 1, pods: 0)
        settings.etcdMembers = 3
        try await LabScene.with(settings) { cluster in
            for (round, cut) in [Cut.fromClients, .wholly, .fromClients, .wholly].enumerated() {
                try await settle(cluster)
                try await measure(cut, member: round % 3 + 1, in: cluster)
            }
        }
    }

    /// One fault at a time: a member that comes back after it was cut off from the others makes them elect anew. Waits
    /// until all have known the same leader in the same term for two seconds.
    private func settle(_ cluster: LabCluster) async throws {
        let namespace = await cluster.description.etcd.namespace
        let clients = try cluster.members.map { member in
            let configuration = try EtcdConfiguration(endpoints: [member.endpoint])
            return try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in
                EtcdClient(configuration: configuration, logger: Logger(label: "cut") { _ in SwiftLogNoOpLogHandler() })
            }
        }
        var known: Set<[UInt64]> = []
        var since = ContinuousClock.now
        let isSettled = try await LabScene.eventually(within: .seconds(30)) {
            var now: Set<[UInt64]> = []
            for client in clients {
                guard let status = try? await client.status(), status.leader != 0 else {
                    now = [[], [0]]
                    break
                }
                now.insert([status.leader, UInt64(status.header.raftTerm)])
            }
            if now != known || now.count != 1 { (known, since) = (now, .now) }
            return since.duration(to: .now) >= .seconds(2)
        }
        #expect(isSettled)
        for client in clients { await client.shutdown() }
    }

    private func measure(_ cut: Cut, member: Int, in cluster: LabCluster) async throws {
        let client = try await client(of: member, in: cluster)
        let renewing = try await self.client(of: member, in: cluster)
        let fresh = try await self.client(of: member, in: cluster)
        let writer = try await self.client(of: member % 3 + 1, in: cluster)
        let answer = try await client.range(RangeRequest(keys))
        let watch = client.watch(keys, after: HistoryMark(answer.header))
        let seen = Mutex<(opened: Int, events: [Int64])>((0, []))
        let watching = Task {
            for try await notice in watch {
                switch notice {
                case .opened: seen.withLock { $0.opened += 1 }
                case .events(let events, _):
                    seen.withLock {
                        $0.events += events.compactMap { if case .put(let kv) = $0 { kv.modRevision } else { nil } }
                    }
                default: break
                }
            }
        }
        defer { watching.cancel() }
        #expect(try await LabScene.eventually { seen.withLock { $0.opened } == 1 })
        let grant = try await client.grant(ttl: 60)
        // One renewal is with the member, which has not answered it yet, when the cut comes.
        _ = try await renewing.keepAlive([grant.id])
        let sent = renewing.counters.unaryTotal
        cluster.members[member - 1].halt()
        async let inFlight: ContinuousClock.Instant = instant { _ = try await renewing.keepAlive([grant.id]) }
        let isSent = try await LabScene.eventually { renewing.counters.unaryTotal > sent }
        try await self.cut(member, cut, in: cluster)
        let start = ContinuousClock.now
        cluster.members[member - 1].resume()
        #expect(isSent)
        let key = "/cut/\(member)"
        // Each over what was connected before; the last has to connect.
        async let asked: Duration = timed(start) { _ = try await client.range(RangeRequest(keys)) }
        async let renewed: Duration = timed(start) { _ = try await client.keepAlive([grant.id]) }
        async let connected: Duration = timed(start) { _ = try await fresh.range(RangeRequest(keys)) }
        async let written: Duration = timed(start) { try await insist { _ = try await writer.put(key, [1]) } }
        let isSeen = try await LabScene.eventually { !seen.withLock { $0.events.isEmpty } }
        let watched = start.duration(to: .now)
        #expect(isSeen)
        let all = try await (asked, renewed, connected, written)
        let answered = start.duration(to: try await inFlight)
        try await heal(member, in: cluster)
        print(
            "etcd\(member) cut \(cut): asked \(all.0), renewed \(all.1), in flight \(answered), connected \(all.2), "
                + "watched \(watched)")
        for duration in [all.0, all.1, all.2, watched, answered] {
            #expect(duration <= Self.limit, "\(cut) of etcd\(member): \(all), watched \(watched), \(answered)")
        }
        for one in [client, renewing, fresh, writer] { await one.shutdown() }
    }

    private func instant(_ body: () async throws -> Void) async throws -> ContinuousClock.Instant {
        try await body()
        return .now
    }

    private func timed(_ start: ContinuousClock.Instant, _ body: () async throws -> Void) async throws -> Duration {
        try await body()
        return start.duration(to: .now)
    }

    /// The writer may meet an election.
    private func insist(_ body: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do { return try await body() } catch { if .now > deadline { throw error } }
        }
    }
}
