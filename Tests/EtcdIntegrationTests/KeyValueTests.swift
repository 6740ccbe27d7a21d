// SPDX-License-Identifier: Apache-2.0

import Etcd
import Lab
import Testing

@Suite(.enabled(if: !EtcdVersion.all.isEmpty, EtcdVersion.reason))
struct KeyValueTests {
    @Test(arguments: EtcdVersion.all)
    func `keys are put, read, deleted`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let first = try await client.put("/a", bytes("1"))
            let second = try await client.put("/a", bytes("2"))
            #expect(second == first + 1)
            try await client.put("/b/\u{1F600}\u{0}", [0, 255])
            let read = try await client.range(RangeRequest(KeyRange(key: "/a")))
            let value = try #require(read.keyValues.first)
            #expect(text(value) == "2")
            #expect(value.createRevision == first && value.modRevision == second && value.version == 2)
            #expect(value.lease == 0)
            #expect(read.count == 1 && !read.hasMore)
            #expect(read.header.revision == second + 1)
            #expect(read.header.clusterID != 0 && read.header.raftTerm >= 2)

            var old = RangeRequest(KeyRange(key: "/a"))
            old.revision = first
            #expect(text(try await client.range(old).keyValues.first) == "1")
            var news = RangeRequest(KeyRange(prefix: "/"))
            news.minModRevision = second + 1
            #expect(try await client.range(news).keyValues.map(\.value) == [[0, 255]])
            var count = RangeRequest(KeyRange(prefix: "/"))
            count.countOnly = true
            #expect(try await client.range(count).count == 2)
            #expect(try await client.range(RangeRequest(KeyRange(key: "/none"))).keyValues.isEmpty)

            #expect(try await client.delete(KeyRange(prefix: "/")) == 2)
            #expect(try await client.delete(KeyRange(prefix: "/")) == 0)
            old.revision = 1_000_000
            let error = await #expect(throws: EtcdError.self) { try await client.range(old) }
            #expect(error?.code == .outOfRange)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `pages are all of one revision, whatever is written meanwhile`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            for number in 100..<225 { try await client.put("/k/\(number)", bytes("old")) }
            let before = client.counters.requests["/v3/kv/range", default: 0]
            var keys: [String] = []
            var sizes: [Int] = []
            for try await page in client.pages(RangeRequest(KeyRange(prefix: "/k/")), first: 10, limit: 40) {
                if sizes.isEmpty {
                    try await client.delete(KeyRange(key: "/k/224"))
                    try await client.put("/k/223", bytes("new"))
                    try await client.put("/k/9", bytes("new"))
                }
                sizes.append(page.keyValues.count)
                keys += page.keyValues.map { String(decoding: $0.key, as: UTF8.self) }
                #expect(page.keyValues.allSatisfy { text($0) == "old" })
                #expect(page.count >= Int64(page.keyValues.count))
            }
            #expect(keys == (100..<225).map { "/k/\($0)" })
            #expect(sizes == [10, 20, 40, 40, 15])
            #expect(client.counters.requests["/v3/kv/range", default: 0] - before == 5)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `paging over a compacted revision fails and does not make one up`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            for number in 0..<30 { try await client.put("/k/\(number + 100)", bytes("x")) }
            let error = await #expect(throws: EtcdError.self) {
                for try await page in client.pages(RangeRequest(KeyRange(prefix: "/k/")), first: 5, limit: 5) {
                    let revision = try await client.put("/k/1", bytes("\(page.count)"))
                    try await cluster.only.control("compact", "\(revision)")
                }
            }
            #expect(error?.code == .outOfRange)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a transaction does one thing or the other`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let create = Transaction(
                when: [.init("/t", .createRevision(0))],
                then: [.put(key: "/t", value: bytes("mine"), lease: 0), .range(RangeRequest(KeyRange(key: "/t")))],
                else: [.range(RangeRequest(KeyRange(key: "/t")))])
            let made = try await client.transact(create)
            #expect(made.succeeded)
            #expect(text(made.ranges.first?.keyValues.first) == "mine")
            let again = try await client.transact(create)
            #expect(!again.succeeded)
            #expect(again.ranges.first?.keyValues.first?.modRevision == made.header.revision)
            let delete = Transaction(
                when: [.init("/t", .modRevision(made.header.revision))], then: [.delete(KeyRange(key: "/t"))])
            #expect(try await client.transact(delete).succeeded)
            #expect(try await !client.transact(delete).succeeded)
            let orphan = Transaction(when: [], then: [.put(key: "/t", value: [], lease: 4711)])
            let error = await #expect(throws: EtcdError.self) { try await client.transact(orphan) }
            #expect(error?.code == .notFound)
            #expect(error?.mayHaveApplied == false)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `grants are made, renewed together, asked about and revoked`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let grant = try await client.grant(ttl: 60)
            #expect(grant.ttl == 60 && grant.id != 0)
            #expect(try await client.grant(ttl: 30, id: 77).id == 77)
            let taken = await #expect(throws: EtcdError.self) { try await client.grant(ttl: 30, id: 77) }
            #expect(taken?.code == .failedPrecondition)
            try await client.put("/g", bytes("x"), lease: 77)

            let before = client.counters.unaryTotal
            let renewed = try await client.keepAlive([grant.id, 77, 4711])
            #expect(renewed == [grant.id: 60, 77: 30, 4711: Int64?.none])
            #expect(client.counters.unaryTotal == before + 1)

            let status = try #require(try await client.timeToLive(77, keys: true))
            #expect((29...30).contains(status.ttl) && status.grantedTTL == 30)
            #expect(status.keys == [bytes("/g")])
            #expect(try await client.timeToLive(4711) == nil)
            #expect(try await client.revoke(77))
            #expect(try await !client.revoke(77))
            #expect(try await client.range(RangeRequest(KeyRange(key: "/g"))).keyValues.isEmpty)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a member's status is read`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let status = try await cluster.client().status()
            #expect(status.version.hasPrefix("3."))
            #expect(status.leader != 0 && status.databaseSize > 0 && status.errors.isEmpty)
        }
    }
}
