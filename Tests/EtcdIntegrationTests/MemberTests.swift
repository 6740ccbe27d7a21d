// SPDX-License-Identifier: Apache-2.0

import Etcd
import Lab
import Testing

/// Three members, and what becomes of a client when one of them fails it.
@Suite(.enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
struct MemberTests {
    private let binaries: EtcdBinaries
    private let keys = KeyRange(prefix: "/w/")

    init() throws { binaries = try #require(EtcdVersion.installed).binaries }

    enum Fault: CaseIterable, Sendable {
        case killed, halted
    }

    @Test(arguments: Fault.allCases)
    func `requests and watches go on at another member within 5 s`(fault: Fault) async throws {
        try await EtcdCluster.with(members: 3, binaries: binaries) { cluster in
            // The watcher's member is not the writer's, and not the leader: only its own failure is looked at.
            let place = try await follower(cluster)
            let client = try cluster.client(first: place)
            let writer = try cluster.client(first: (place + 1) % 3)
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await writer.put("/w/k", bytes("before"))
            try await eventually("the event before") { seen.all.events.count == 1 }
            let stopwatch = Stopwatch()
            switch fault {
            case .killed: await cluster.members[place].kill()
            case .halted: cluster.members[place].halt()
            }
            try await writer.put("/w/k", bytes("after"))
            async let answer = client.range(RangeRequest(KeyRange(key: "/w/k")))
            #expect(text(try await answer.keyValues.first) == "after")
            let answered = stopwatch.elapsed
            try await eventually("the event after") { seen.all.events.count == 2 }
            let watched = stopwatch.elapsed
            #expect(answered < .seconds(5) && watched < .seconds(5), "\(answered), \(watched)")
            cluster.members[place].resume()
        }
    }

    /// Named twice, so that its silence is looked into as that of one of several members is.
    private func twice(_ cluster: EtcdCluster) throws -> EtcdClient {
        try cluster.client(endpoints: [cluster.only.endpoint, cluster.only.endpoint])
    }

    @Test func `a watch of which nothing comes stays where it is, and so does one of a member that is merely slow`()
        async throws
    {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let client = try twice(cluster)
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            // Three times as long as it takes to look into a silence.
            try await Task.sleep(for: .seconds(6))
            #expect(seen.all.count == 1, "\(seen.all)")
            // Then it runs for a fifth of the time.
            for _ in 0..<8 {
                cluster.only.halt()
                try await Task.sleep(for: .milliseconds(800))
                cluster.only.resume()
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(seen.all.count == 1, "\(seen.all)")
            try await cluster.client().put("/w/k", bytes("1"))
            try await eventually("the event") { seen.all.events == ["put /w/k=1"] }
            #expect(client.counters.requests["/v3/watch"] == 1)
        }
    }

    @Test func `a member that hangs is asked ever more rarely`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let client = try twice(cluster)
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            cluster.only.halt()
            try await Task.sleep(for: .seconds(12))
            // The first after 3.5 s, then each that gets no head in 3 s.
            #expect((1...4).contains(seen.all.interruptions.count), "\(seen.all.interruptions)")
            #expect((client.counters.requests["/v3/watch"] ?? 0) <= 5)
            cluster.only.resume()
            try await cluster.client().put("/w/k", bytes("1"))
            try await eventually("the event") { seen.all.events == ["put /w/k=1"] }
        }
    }

    private func follower(_ cluster: EtcdCluster) async throws -> Int {
        for (place, member) in cluster.members.enumerated()
        where try await metric("etcd_server_is_leader", of: member) == 0 {
            return place
        }
        throw LabError("every member says that it leads")
    }

    @Test func `a member without the others is not believed, and a write to it is not taken as done`() async throws {
        try await EtcdCluster.with(members: 3, binaries: binaries) { cluster in
            let alone = try cluster.client(endpoints: [cluster.endpoints[0]])
            try await alone.put("/w/k", bytes("1"))
            let seen = Collected(alone.watch(keys, after: try await alone.mark(keys)))
            try await eventually("it is open") { seen.all.openings == 1 }
            let grant = try await alone.grant(ttl: 60)
            cluster.members[1].halt()
            cluster.members[2].halt()
            try await eventually("the watch is interrupted") { !seen.all.interruptions.isEmpty }
            let first = try #require(seen.all.interruptions.first)
            #expect(first.code == .unavailable, "\(first)")

            async let read = refusal { () async throws(EtcdError) in try await alone.range(RangeRequest(keys)) }
            async let renewal = refusal { () async throws(EtcdError) in try await alone.keepAlive([grant.id]) }
            async let write = refusal { () async throws(EtcdError) in
                try await alone.transact(
                    Transaction(when: [], then: [.put(key: "/w/k", value: bytes("2"), lease: 0)]))
            }
            let errors = try await [read, renewal, write]
            for error in errors { #expect(error.isMembersTrouble, "\(error)") }
            #expect(errors[2].mayHaveApplied)

            cluster.members[1].resume()
            cluster.members[2].resume()
            try await eventually("the watch is whole again") { seen.all.openings == 2 }
            #expect(try await alone.keepAlive([grant.id])[grant.id] == 60)
        }
    }

    private func refusal<Answer: Sendable>(
        _ body: @Sendable () async throws(EtcdError) -> Answer
    ) async throws -> EtcdError {
        do throws(EtcdError) {
            _ = try await body()
        } catch {
            return error
        }
        throw LabError("it was answered")
    }

    @Test func `clients with different numbers spread over the members`() async throws {
        try await EtcdCluster.with(members: 3, binaries: binaries) { cluster in
            let used = try (0..<6).map { try cluster.client(first: $0).endpoint }
            #expect(used == cluster.endpoints + cluster.endpoints)
        }
    }

    @Test func `a full database is named, reads go on, and an operator can mend it`() async throws {
        try await EtcdCluster.with(
            binaries: binaries,
            configure: { settings, _ in settings.options += ["--quota-backend-bytes", "100000"] }
        ) { cluster in
            let client = try cluster.client()
            var refusal: EtcdError?
            for _ in 0..<50 {
                do throws(EtcdError) {
                    try await client.put("/big", [UInt8](repeating: 1, count: 20_000))
                } catch {
                    refusal = error
                    break
                }
            }
            let error = try #require(refusal)
            #expect(error.code == .resourceExhausted)
            #expect(error.needsOperator && !error.isMembersTrouble && !error.mayHaveApplied)
            #expect(error.description.contains("its database is full"))
            #expect(try await client.range(RangeRequest(KeyRange(key: "/big"))).count == 1)
            #expect(try await client.status().errors.contains { $0.contains("NOSPACE") })
        }
    }
}
