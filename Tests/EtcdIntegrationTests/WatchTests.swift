// SPDX-License-Identifier: Apache-2.0

import Etcd
import Lab
import Testing

@Suite(.enabled(if: !EtcdVersion.all.isEmpty, EtcdVersion.reason))
struct WatchTests {
    private let keys = KeyRange(prefix: "/w/")

    @Test(arguments: EtcdVersion.all)
    func `events come in order, from behind the mark, expiry as a delete`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            try await client.put("/w/before", bytes("0"))
            let mark = try await client.mark(keys)
            try await client.put("/w/a", bytes("1"))
            try await client.put("/other", bytes("1"))
            let grant = try await client.grant(ttl: 60)
            try await client.put("/w/b", bytes("2"), lease: grant.id)
            let seen = Collected(client.watch(keys, after: mark))
            try await eventually("what was missed is there") { seen.all.events.count == 2 }
            try await client.delete(KeyRange(key: "/w/a"))
            try await client.revoke(grant.id)
            try await eventually("all is there") { seen.all.events.count == 4 }
            #expect(seen.all.events == ["put /w/a=1", "put /w/b=2", "delete /w/a", "delete /w/b"])
            #expect(seen.all.openings == 1)
            #expect(client.counters.requests["/v3/watch"] == 1)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a watch goes on behind the last event when etcd was killed and came back`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            for round in 1...3 {
                try await client.put("/w/k", bytes("\(round)"))
                try await eventually("event \(round)") { seen.all.events.count == round * 2 - 1 }
                await cluster.only.kill()
                try await eventually("it is interrupted") { seen.all.interruptions.count >= round }
                try await cluster.only.start()
                try await client.put("/w/l", bytes("\(round)"))
                try await eventually("event \(round) after the start") { seen.all.events.count == round * 2 }
            }
            let wanted = (1...3).flatMap { ["put /w/k=\($0)", "put /w/l=\($0)"] }
            #expect(seen.all.events == wanted)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a watch whose place was compacted is over`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let mark = try await client.mark(keys)
            for number in 0..<5 { try await client.put("/w/k", bytes("\(number)")) }
            let last = try await client.put("/w/k", bytes("last"))
            try await cluster.only.control("compact", "\(last)")
            let seen = Collected(client.watch(keys, after: mark))
            try await eventually("it is over") { seen.all.last == .compacted }
            #expect(seen.all.events.isEmpty)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a place that progress was told of survives a compaction`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(
            binaries: version.binaries,
            configure: { settings, _ in
                // Debian's 3.4 has the option, 3.5.1 does too.
                settings.options += ["--experimental-watch-progress-notify-interval", "100ms"]
            }
        ) { cluster in
            let client = try cluster.client()
            try await client.put("/w/k", bytes("0"))
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            let last = try await lastOf(20, client)
            // No event tells of those; only progress does, which the watch keeps to itself.
            try await Task.sleep(for: .milliseconds(500))
            try await cluster.only.control("compact", "\(last)")
            await cluster.only.kill()
            try await cluster.only.start()
            try await eventually("it is open again") { seen.all.openings == 2 }
            try await client.put("/w/k", bytes("1"))
            try await eventually("the event") { seen.all.events.count == 1 }
            #expect(!seen.all.contains(.compacted))
        }
    }

    private func lastOf(_ count: Int, _ client: EtcdClient) async throws -> Int64 {
        var last: Int64 = 0
        for _ in 0..<count { last = try await client.put("/other", bytes("x")) }
        return last
    }

    @Test(arguments: EtcdVersion.all)
    func `a watch that is let go of leaves no watcher in etcd`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let mark = try await client.mark(keys)
            var watches: [Collected<WatchNotice>] = []
            for _ in 0..<10 { watches.append(Collected(client.watch(keys, after: mark))) }
            try await eventually("they are open") { watches.allSatisfy { $0.all.openings == 1 } }
            #expect(try await metric("etcd_debugging_mvcc_watcher_total", of: cluster.only) == 10)
            for watch in watches { watch.stop() }
            try await eventually("their watchers are gone") {
                try await metric("etcd_debugging_mvcc_watcher_total", of: cluster.only) == 0
            }
        }
    }

    @Test func `a watch goes on over a new connection when connections are renewed, and misses nothing`() async throws {
        let version = try #require(EtcdVersion.all.first)
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let writer = try cluster.client()
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            for round in 1...3 {
                client.renewConnections()
                try await writer.put("/w/k", bytes("\(round)"))
                try await eventually("event \(round)") { seen.all.events.count == round }
                try await eventually("opening \(round + 1)") { seen.all.openings == round + 1 }
            }
            #expect(seen.all.events == ["put /w/k=1", "put /w/k=2", "put /w/k=3"])
            try await eventually("the former watchers are gone") {
                try await metric("etcd_debugging_mvcc_watcher_total", of: cluster.only) == 1
            }
        }
    }

    @Test func `tries to open a watch become rare while etcd is away`() async throws {
        let version = try #require(EtcdVersion.all.first)
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let mark = try await client.mark(keys)
            await cluster.only.kill()
            let seen = Collected(client.watch(keys, after: mark))
            try await Task.sleep(for: .milliseconds(1500))
            #expect((2...10).contains(seen.all.interruptions.count), "\(seen.all.interruptions.count)")
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a restore from a snapshot is noticed although the revision is already beyond the last one seen`(
        version: EtcdVersion
    ) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let snapshot = "\(cluster.directory.path)/snapshot"
            try await client.put("/w/a", bytes("1"))
            try await cluster.only.saveSnapshot(to: snapshot)
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            try await client.put("/w/b", bytes("2"))
            try await eventually("the event") { seen.all.events.count == 1 }
            await cluster.only.kill()
            try await cluster.only.restoreSnapshot(from: snapshot)
            // It counts on at another port first, where the watch does not find it.
            var settings = cluster.only.settings
            settings.clientPort = 2479
            let aside = EtcdProcess(settings: settings, directory: cluster.directory.path)
            try await aside.start()
            let other = try cluster.client(endpoints: [aside.endpoint])
            for _ in 0..<50 { try await other.put("/w/c", bytes("3")) }
            await aside.stop()
            #expect(seen.all.openings == 1)
            try await cluster.only.start()
            try await eventually("it is over") {
                if case .replaced? = seen.all.last { true } else { false }
            }
        }
    }
}
