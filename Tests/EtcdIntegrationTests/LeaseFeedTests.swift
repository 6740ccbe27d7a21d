// SPDX-License-Identifier: Apache-2.0

import Etcd
import IPAddressing
import Lab
import Leases
import TestKit
import Testing

@testable import EtcdStore

@Suite(.enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
struct LeaseFeedTests {
    private let binaries: EtcdBinaries
    private let keys = KeySpace(prefix: "/coreos.com/network")
    private let config = #"{"Network":"10.0.0.0/8","SubnetLen":24,"Backend":{"Type":"vxlan"}}"#

    init() throws { binaries = try #require(EtcdVersion.installed).binaries }

    private func key(_ number: Int) throws -> SubnetKey {
        try SubnetKey(parsing: "10.\(number / 256).\(number % 256).0-24")
    }

    private func put(_ numbers: Range<Int>, _ client: EtcdClient, node: (Int) -> Int = { $0 }) async throws {
        var rest = numbers
        while !rest.isEmpty {
            let some = rest.prefix(100)
            rest = rest.dropFirst(100)
            let operations = try some.map { number in
                Transaction.Operation.put(
                    key: keys.key(of: try key(number)),
                    value: LeaseFixtures.announcement(node: node(number)).json, lease: 0)
            }
            _ = try await client.transact(Transaction(when: [], then: operations))
        }
    }

    @Test func `2,000 leases cost a handful of requests, and each change none`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let writer = try cluster.client()
            try await writer.put(keys.config, bytes(config))
            try await put(0..<2000, writer)
            let client = try cluster.client()
            let follower = FeedFollower(EtcdLeaseStore(client: client, keys: keys).feed())
            try await follower.wait("all leases are there") { $0.table.isComplete && $0.table.count == 2000 }
            // 500, 1,000 and the rest.
            #expect(client.counters.unaryTotal == 3)
            try await put(2000..<2100, writer)
            try await follower.wait("the new ones are there") { $0.table.count == 2100 }
            #expect(client.counters.unaryTotal == 3)
            #expect(client.counters.requests["/v3/watch"] == 1)
            #expect(follower.state.snapshotCount == 1 && follower.state.interruptions.isEmpty)
            guard case .valid(let read)? = follower.state.config else {
                Issue.record("\(follower.state.config as Any)")
                return
            }
            #expect(read.network.description == "10.0.0.0/8")
        }
    }

    @Test func `what can't be read is skipped, told, and mended by the next write`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let client = try cluster.client()
            let good = try key(1)
            let bad = try key(2)
            try await client.put(keys.config, bytes(#"{"Network":17}"#))
            try await client.put(keys.key(of: good), LeaseFixtures.announcement(node: 1).json)
            try await client.put(keys.key(of: bad), bytes("{not json"))
            try await client.put("\(keys.prefix)/subnets/nonsense", bytes("{}"))
            try await client.put("\(keys.prefix)/other", bytes("{}"))
            let follower = FeedFollower(EtcdLeaseStore(client: client, keys: keys).feed())
            try await follower.wait("the list is complete") { $0.table.isComplete }
            #expect(follower.state.table.leases.map(\.key) == [good])
            #expect(Set(follower.state.table.unreadable.keys) == ["10.0.2.0-24", "nonsense"])
            guard case .invalid(let fault)? = follower.state.config else {
                Issue.record("\(follower.state.config as Any)")
                return
            }
            #expect(fault.field == "Network")

            try await client.put(keys.key(of: bad), LeaseFixtures.announcement(node: 2).json)
            try await client.delete(KeyRange(key: "\(keys.prefix)/subnets/nonsense"))
            try await client.put(keys.config, bytes(config))
            try await follower.wait("all is well") { feed in
                guard case .valid? = feed.config else { return false }
                return feed.table.count == 2 && feed.table.unreadable.isEmpty
            }
            try await client.put(keys.key(of: good), bytes("[]"))
            try await follower.wait("a lease that became unreadable is gone") { $0.table[good] == nil }
            try await client.delete(KeyRange(key: keys.config))
            try await follower.wait("the config is gone") { $0.config == .missing }
            #expect(follower.state.snapshotCount == 1)
        }
    }

    @Test func `a compaction while away means one more list, of which only the difference is news`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let writer = try cluster.client()
            try await writer.put(keys.config, bytes(config))
            try await put(0..<600, writer)
            let follower = FeedFollower(EtcdLeaseStore(client: try cluster.client(), keys: keys).feed())
            try await follower.wait("all leases are there") { $0.table.count == 600 && $0.table.isComplete }
            let before = follower.state.changes.count
            try await away(cluster) { other in
                try await other.delete(KeyRange(key: keys.key(of: try key(5))))
                try await put(7..<8, other) { _ in 4711 }
                try await put(600..<601, other)
                let last = try await other.put("/x", [])
                try await cluster.only.control("--endpoints", other.endpoint, "compact", "\(last)")
            }
            try await follower.wait("the difference is in") { $0.changes.count >= before + 3 }
            try await follower.wait("it is whole again") { $0.snapshotCount == 2 && $0.table.count == 600 }
            let news = follower.state.changes[before...]
            #expect(Set(news.map(\.key)) == [try key(5), try key(7), try key(600)])
            #expect(news.count == 3)
            #expect(!follower.state.interruptions.isEmpty)
        }
    }

    /// Lets the body write to an etcd that the feed can't reach, over the same data.
    private func away(
        _ cluster: EtcdCluster, restoring snapshot: String? = nil, _ body: (EtcdClient) async throws -> Void
    ) async throws {
        await cluster.only.kill()
        if let snapshot { try await cluster.only.restoreSnapshot(from: snapshot) }
        var settings = cluster.only.settings
        settings.clientPort = 2479
        let aside = EtcdProcess(settings: settings, directory: cluster.directory.path)
        try await aside.start()
        try await body(try cluster.client(endpoints: [aside.endpoint]))
        await aside.stop()
        try await cluster.only.start()
    }

    /// How far a restored etcd has counted on when the feed finds it.
    enum Progress: CaseIterable, Sendable {
        case behind, level, beyond
    }

    @Test(arguments: Progress.allCases)
    func `a restore from an older snapshot is listed anew`(progress: Progress) async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let writer = try cluster.client()
            let snapshot = "\(cluster.directory.path)/snapshot"
            try await writer.put(keys.config, bytes(config))
            try await put(0..<3, writer)
            try await cluster.only.saveSnapshot(to: snapshot)
            let follower = FeedFollower(EtcdLeaseStore(client: try cluster.client(), keys: keys).feed())
            try await follower.wait("the leases are there") { $0.table.count == 3 && $0.table.isComplete }
            try await put(10..<11, writer)
            try await writer.delete(KeyRange(key: keys.key(of: try key(0))))
            let lost = try key(10)
            try await follower.wait("the lost changes are in") { $0.table.count == 3 && $0.table[lost] != nil }
            try await away(cluster, restoring: snapshot) { other in
                let count = progress == .behind ? 1 : progress == .level ? 2 : 40
                for _ in 0..<count { try await put(20..<21, other) }
            }
            try await follower.wait("what the restored etcd holds is known") { feed in
                let numbers = [0, 1, 2, 20]
                return try feed.table.count == 4 && numbers.allSatisfy { feed.table[try key($0)] != nil }
            }
            #expect(follower.state.snapshotCount == 2)
        }
    }

    /// What the listing after a compaction contradicts, where the proof of the history is gone.
    @Test(arguments: Progress.allCases)
    func `a restored etcd is noticed also where a compaction is why the leases are listed`(
        progress: Progress
    ) async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let writer = try cluster.client()
            let snapshot = "\(cluster.directory.path)/snapshot"
            try await writer.put(keys.config, bytes(config))
            try await put(0..<3, writer)
            try await cluster.only.saveSnapshot(to: snapshot)
            let follower = FeedFollower(EtcdLeaseStore(client: try cluster.client(), keys: keys).feed())
            try await follower.wait("the leases are there") { $0.table.count == 3 && $0.table.isComplete }
            // What the restored etcd has again, or does not have any more.
            try await writer.delete(KeyRange(key: keys.key(of: try key(0))))
            try await put(1..<2, writer) { _ in 99 }
            let lost = try key(10)
            try await put(10..<11, writer)
            try await follower.wait("the changes are in") { $0.table.count == 3 && $0.table[lost] != nil }
            #expect(follower.state.table.history == 1)
            try await away(cluster, restoring: snapshot) { other in
                let count = progress == .behind ? 1 : progress == .level ? 3 : 40
                for _ in 0..<count { try await other.put("/x", []) }
                let last = try await other.put("/x", [])
                try await cluster.only.control("--endpoints", other.endpoint, "compact", "\(last)")
            }
            try await follower.wait("what the restored etcd holds is known") { feed in
                try feed.table.count == 3 && [0, 1, 2].allSatisfy { feed.table[try key($0)] != nil }
            }
            #expect(follower.state.snapshotCount == 2)
            #expect(follower.state.table.history == 2)
        }
    }

    @Test func `an etcd restored between a listing and its watch is noticed once there was time for it`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let client = try cluster.client()
            let snapshot = "\(cluster.directory.path)/snapshot"
            try await put(0..<3, client)
            try await cluster.only.saveSnapshot(to: snapshot)
            try await put(3..<5, client)
            let feed = LeaseFeed(client: try cluster.client(), keys: keys, trust: .zero)
            var iterator = feed.makeAsyncIterator()
            var table = LeaseTable()
            guard case .snapshot(let first)? = try await iterator.next(isolation: nil) else {
                throw LabError("no snapshot")
            }
            _ = table.apply(first)
            #expect(table.count == 5 && table.isComplete)
            try await away(cluster, restoring: snapshot) { other in
                for _ in 0..<40 { try await other.put("/x", []) }
            }
            while table.history == 1 {
                if case .snapshot(let part)? = try await iterator.next(isolation: nil) { _ = table.apply(part) }
            }
            #expect(table.count == 3)
        }
    }

    /// Where the history forks: what the restored etcd still has in common with what was known.
    enum Fork: CaseIterable, Sendable {
        /// Before the last complete listing.
        case beforeKnown
        /// Between that one and the listing that fails.
        case beforeListing
    }

    /// 1,600 leases come in three pages, and the third is not asked for before the first was read.
    @Test(.timeLimit(.minutes(2)), arguments: Fork.allCases)
    func `a listing that fails because etcd is being restored is begun again, and believed as a whole`(
        fork: Fork
    ) async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let snapshot = "\(cluster.directory.path)/snapshot"
            let writer = try cluster.client()
            try await put(0..<1600, writer)
            if fork == .beforeKnown { try await cluster.only.saveSnapshot(to: snapshot) }
            try await put(5..<6, writer) { _ in 50 }
            var iterator = EtcdLeaseStore(client: try cluster.client(), keys: keys).feed().makeAsyncIterator()
            var table = LeaseTable()
            try await listing(&iterator, into: &table)
            #expect((table.count, table.history) == (1600, 1))
            try await away(cluster) { other in
                // Behind the first write the watch could go on.
                try await other.put("/x", [])
                let last = try await other.put("/x", [])
                try await cluster.only.control("--endpoints", other.endpoint, "compact", "\(last)")
            }
            if fork == .beforeListing { try await cluster.only.saveSnapshot(to: snapshot) }
            // What the listing tells that fails, and the restored etcd does not know.
            try await put(1..<2, writer) { _ in 99 }
            try await writer.delete(KeyRange(key: keys.key(of: try key(2))))
            var isListing = false
            while !isListing { isListing = try await take(from: &iterator, into: &table)?.isFirst ?? false }
            let changed = try key(1)
            #expect(table[changed]?.announcement == LeaseFixtures.announcement(node: 99))
            await cluster.only.kill()
            while try await take(from: &iterator, into: &table) != nil {}
            #expect(table.history == 1, "half of a listing is none")
            try await away(cluster, restoring: snapshot) { other in
                for _ in 0..<40 { try await put(20..<21, other) { _ in 77 } }
            }
            try await listing(&iterator, into: &table)
            #expect((table.count, table.history) == (1600, 2))
            for (number, node) in [1: 1, 2: 2, 5: fork == .beforeKnown ? 5 : 50, 20: 77] {
                let found = try #require(table[try key(number)]).announcement
                #expect(found == LeaseFixtures.announcement(node: node), "\(number)")
            }
        }
    }

    /// The next event; gives the part of a snapshot that it is, `nil` for another.
    private func take(
        from iterator: inout LeaseFeed.Iterator, into table: inout LeaseTable
    ) async throws -> SnapshotPart? {
        switch try await iterator.next(isolation: nil) {
        case .snapshot(let part):
            _ = table.apply(part)
            return part
        case .changes(let records, _, let revision): _ = table.apply(records, at: revision)
        case .interrupted, .resumed, nil: break
        }
        return nil
    }

    /// All parts of the next complete listing.
    private func listing(_ iterator: inout LeaseFeed.Iterator, into table: inout LeaseTable) async throws {
        while try await take(from: &iterator, into: &table)?.isLast != true {}
    }

    @Test func `an etcd that comes back as it was is followed on, without a list`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let client = try cluster.client()
            try await put(0..<3, client)
            let follower = FeedFollower(EtcdLeaseStore(client: client, keys: keys).feed())
            try await follower.wait("the leases are there") { $0.table.count == 3 && $0.table.isComplete }
            // The last event is a delete, then a write, then neither: each is recognised.
            try await away(cluster) { try await $0.delete(KeyRange(key: keys.key(of: try key(0)))) }
            try await follower.wait("the delete") { $0.table.count == 2 && $0.resumptions == 1 }
            try await away(cluster) { try await put(5..<6, $0) }
            try await follower.wait("the write") { $0.table.count == 3 && $0.resumptions == 2 }
            try await away(cluster) { try await $0.put("/x", []) }
            try await follower.wait("it is whole again") { $0.resumptions == 3 }
            #expect(follower.state.snapshotCount == 1)
        }
    }
}
