// SPDX-License-Identifier: Apache-2.0

import APISchema
import CurlHTTP
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite(.timeLimit(.minutes(1))) struct EventStreamTests {
    private let client = CurlClient()

    private func lease(_ number: Int, revision: Int64) throws -> Lease {
        try LeaseFixtures.lease("10.244.\(number).0/24", node: number, revision: revision)
    }

    @Test func `a stream begins with every lease and goes on with each change`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            defer { reader.close() }
            #expect(reader.stream.status == 200)
            #expect(reader.stream.headers["Content-Type"] == "text/event-stream")
            let first = try #require(try await reader.next())
            #expect(first.name == "snapshot")
            #expect(first.id == "15")
            #expect(try first.list().items.map(\.node) == ["n1", "n2"])
            scene.change([.lease(try lease(3, revision: 16))], revision: 16)
            let added = try #require(try await reader.next())
            #expect((added.name, added.id) == ("added", "16"))
            #expect(try added.lease().node == "n3")
            scene.change([.lease(try lease(3, revision: 17))], revision: 17)
            let updated = try #require(try await reader.next())
            #expect((updated.name, updated.id) == ("updated", "17"))
            #expect(try updated.lease().modRevision == "17")
            scene.change([.gone(name: "10.244.1.0-24", at: Revision(18))], revision: 18)
            let removed = try #require(try await reader.next())
            #expect((removed.name, removed.id) == ("removed", "18"))
            #expect(try removed.lease().subnet == "10.244.1.0/24")
        }
    }

    @Test func `only the last event of a revision moves a client's place`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            defer { reader.close() }
            _ = try await reader.next()
            scene.change(
                [.lease(try lease(3, revision: 16)), .gone(name: "10.244.1.0-24", at: Revision(16))], revision: 16)
            #expect(try await reader.next()?.id == nil)
            #expect(try await reader.next()?.id == "16")
        }
    }

    @Test func `a client that comes back gets what it missed, and nothing twice`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        scene.change([.lease(try lease(3, revision: 16))], revision: 16)
        scene.change([.lease(try lease(4, revision: 17))], revision: 17)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address, lastEvent: "16")
            defer { reader.close() }
            scene.change([.lease(try lease(5, revision: 18))], revision: 18)
            #expect(try await reader.next()?.lease().node == "n4")
            #expect(try await reader.next()?.lease().node == "n5")
        }
    }

    @Test(arguments: ["14", "99", "x", ""])
    func `a client whose place is not known gets every lease`(lastEvent: String) async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address, lastEvent: lastEvent)
            defer { reader.close() }
            #expect(try await reader.next()?.name == "snapshot")
        }
    }

    @Test func `another history is a snapshot for everybody, and goes on from there`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            defer { reader.close() }
            _ = try await reader.next()
            // etcd was restored: revisions run backwards.
            scene.replaceLeases([try lease(9, revision: 4)], revision: 4)
            let anew = try #require(try await reader.next())
            #expect((anew.name, anew.id) == ("snapshot", "4"))
            #expect(try anew.list().items.map(\.node) == ["n9"])
            scene.change([.lease(try lease(8, revision: 5))], revision: 5)
            #expect(try await reader.next()?.id == "5")
        }
    }

    @Test func `a lease that becomes this node's own is told again`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            defer { reader.close() }
            #expect(try await reader.next()?.list().items.map(\.local) == [false, false])
            let own = try lease(1, revision: 10)
            scene.status.update { $0.lease = own }
            let event = try #require(try await reader.next())
            #expect((event.name, event.id) == ("updated", nil))
            #expect(try event.lease().local)
        }
    }

    @Test func `the end of the daemon is the end of the stream`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        var left: EventReader?
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            _ = try await reader.next()
            left = reader
        }
        #expect(try await left?.next() == nil)
        #expect(scene.server.broadcast.clientCount == 0)
    }

    @Test func `a client that leaves is forgotten`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address)
            _ = try await reader.next()
            #expect(scene.server.broadcast.clientCount == 1)
            reader.close()
            try await eventually { scene.server.broadcast.clientCount == 0 }
        }
    }

    @Test func `many clients each see each event, which is written once`() async throws {
        let scene = try APIScene(leases: APIScene.leases(50), listen: ListeningTests.anyPort)
        let clients = 200
        try await Running.run(scene) { address in
            try await withThrowingTaskGroup(of: [String?].self) { group in
                for _ in 0..<clients {
                    group.addTask {
                        var reader = try await EventReader(client, address)
                        defer { reader.close() }
                        var ids: [String?] = []
                        while ids.count < 4, let event = try await reader.next() { ids.append(event.id) }
                        return ids
                    }
                }
                try await eventually { scene.server.broadcast.clientCount == clients }
                for revision in Int64(16)...18 {
                    scene.change([.lease(try lease(60, revision: revision))], revision: revision)
                }
                for try await ids in group { #expect(ids == ["15", "16", "17", "18"]) }
            }
        }
    }

    @Test func `a client that does not read is cut off, the others are not`() throws {
        let slow = EventStreamClient(limit: 3)
        let chunk = EventStreamClient.Chunk(mark: nil, buffer: ByteBuffer(string: "x"))
        #expect(slow.give(chunk))
        #expect(slow.give(chunk))
        #expect(slow.give(chunk))
        #expect(!slow.give(chunk))
        let stuck = EventStreamClient()
        #expect(stuck.beat(chunk))
        for _ in 1..<EventStreamClient.patience { #expect(stuck.beat(chunk)) }
        #expect(!stuck.beat(chunk))
    }

    @Test func `there is no stream before there are leases`() async throws {
        let scene = try APIScene(isComplete: false)
        let response = try await scene.get("/v1/leases", headers: [.accept: "text/event-stream"])
        #expect(response.status == .serviceUnavailable)
        #expect(scene.server.broadcast.clientCount == 0)
    }

    @Test(arguments: ["node=n2", "contains=10.244.2.7", "publicIP=192.168.0.2"])
    func `a filtered stream tells of what the filter admits, and of what comes and goes through it`(
        query: String
    ) async throws {
        let scene = try APIScene(leases: APIScene.leases(5), listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address, query: query)
            defer { reader.close() }
            let snapshot = try #require(try await reader.next())
            let list = try JSONDecoder().decode(LeaseListDocument.self, from: Data(snapshot.data.utf8))
            #expect(list.items.map(\.node) == ["n2"])
            // Nobody's business: another lease.
            scene.change([.lease(try lease(4, revision: 16))], revision: 16)
            scene.change([.lease(try lease(2, revision: 17))], revision: 17)
            #expect(try await reader.next()?.id == "17")
            scene.change([.gone(name: "10.244.2.0-24", at: Revision(18))], revision: 18)
            let gone = try #require(try await reader.next())
            #expect(gone.name == "removed" && gone.id == "18")
            scene.change([.lease(try lease(2, revision: 19))], revision: 19)
            #expect(try await reader.next()?.name == "added")
        }
    }

    @Test func `a lease that changes into and out of a filter is added and removed`() async throws {
        let scene = try APIScene(leases: APIScene.leases(3), listen: ListeningTests.anyPort)
        let key = try SubnetKey(parsing: "10.244.2.0-24")
        func kind(_ kind: Lease.Kind, _ revision: Int64) -> LeaseRecord {
            .lease(
                Lease(
                    key: key, announcement: LeaseFixtures.announcement(node: 2), kind: kind,
                    createRevision: Revision(1), modRevision: Revision(revision)))
        }
        try await Running.run(scene) { address in
            var reader = try await EventReader(client, address, query: "kind=reservation")
            defer { reader.close() }
            #expect(try await reader.next()?.data.hasSuffix("\"items\":[]}") == true)
            scene.change([kind(.reservation, 16)], revision: 16)
            #expect(try await reader.next()?.name == "added")
            scene.change([kind(.lease(GrantID(5)), 17)], revision: 17)
            #expect(try await reader.next()?.name == "removed")
            // Who comes back with a filter gets only what it admits.
            var back = try await EventReader(client, address, lastEvent: "15", query: "kind=reservation")
            defer { back.close() }
            #expect(try await back.next()?.id == "16")
            #expect(try await back.next()?.name == "removed")
        }
    }

    @Test func `a bad filter of a stream is a problem, and so is paging it`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2))
        for query in ["kind=x", "limit=5", "continue=x", "nod=n1"] {
            let response = try await scene.get("/v1/leases?\(query)", headers: [.accept: "text/event-stream"])
            #expect(response.status == .badRequest)
        }
        #expect(scene.server.broadcast.clientCount == 0)
    }

    @Test func `HEAD says what a stream would be`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2))
        let response = try await scene.get("/v1/leases", headers: [.accept: "text/event-stream"], method: .head)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "text/event-stream")
        #expect(scene.server.broadcast.clientCount == 0)
    }

    @Test func `the catalog follows the changes to the same leases as a new order gives`() throws {
        let scene = try APIScene(leases: APIScene.leases(20))
        let followed = LeaseCatalog(status: scene.status)
        _ = try followed.current()
        var random = SystemRandomNumberGenerator()
        for revision in Int64(16)...200 {
            let number = Int.random(in: 1...40, using: &random)
            let isGone = Bool.random(using: &random)
            scene.change(
                [
                    isGone
                        ? .gone(name: "10.244.\(number).0-24", at: Revision(revision))
                        : .lease(try lease(number, revision: revision))
                ],
                revision: revision)
            #expect(try followed.current().leases == LeaseCatalog(status: scene.status).current().leases)
        }
    }
}

struct NeverHappened: Error {}

/// Waits until a condition holds, for ten seconds at most.
func eventually(_ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !condition() {
        guard ContinuousClock.now < end else { throw NeverHappened() }
        try await Task.sleep(for: .milliseconds(5))
    }
}
