// SPDX-License-Identifier: Apache-2.0

import APISchema
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

/// `POST /v1/leases/{subnet}/renew` and `DELETE /v1/leases/{subnet}`.
@Suite(.timeLimit(.minutes(1))) struct RenewalTests {
    private func renew(_ lease: LeaseDocument, token: String?, _ scene: ChangeScene, at: Int = 0) async throws
        -> TestResponse
    {
        try await scene.ask(.post, "\(ChangeScene.path(lease))/renew", #"{"token":"\#(token ?? "")"}"#, at: at)
    }

    @Test func `the holder renews at any authority, with its token only`() async throws {
        try await ChangeScene.run(authorities: 2) { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            for authority in 0..<2 {
                let response = try await renew(lease, token: lease.token, scene, at: authority)
                #expect(response.status == .ok, "\(response.text)")
                let renewed: LeaseDocument = try response.document()
                #expect(renewed.ttl == 59 && renewed.modRevision == lease.modRevision && renewed.token == nil)
                let wrong = try await renew(lease, token: "x\(lease.token ?? "")", scene, at: authority)
                #expect(wrong.status == .forbidden)
                #expect(try !wrong.problem().detail.contains(lease.token ?? "-"))
            }
            #expect(scene.store.renewals == [1, 1])
            for status in scene.statuses {
                var text = MetricsText()
                status.metrics.registry.write(to: &text)
                #expect(
                    String(decoding: text.bytes, as: UTF8.self)
                        .contains(#"tartan_lease_renewals_total{outcome="renewed"} 1"#))
            }
        }
    }

    @Test func `a dual-stack lease is renewed by its IPv4 subnet also where the feed has not told of it`() async throws
    {
        try await ChangeScene.run(config: .valid(LeaseFixtures.config(ipv6: "fd00:10:244::/56"))) { scene in
            scene.store.mute()
            let lease = try await scene.lease("a", "192.0.2.1")
            #expect(lease.ipv6Subnet != nil)
            #expect(try await renew(lease, token: lease.token, scene).status == .ok)
            for grant in scene.store.leases.compactMap(\.grantID) { scene.store.expire(grant) }
            #expect(try await renew(lease, token: lease.token, scene).status == .notFound)
        }
    }

    @Test func `a lease that has ended is 404, one that nobody issued 403, and neither is renewed`() async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            for grant in scene.store.leases.compactMap(\.grantID) { scene.store.expire(grant) }
            #expect(try await renew(lease, token: lease.token, scene).status == .notFound)
            let grant = try await scene.store.grant(ttl: .seconds(60))
            // As a node's own claim: on the same subnet, under another grant.
            let key = try SubnetKey(parsing: lease.subnet.replacing("/", with: "-"))
            scene.store.put(key, LeaseFixtures.announcement(node: 5), grant: grant.id)
            let response = try await renew(lease, token: lease.token, scene)
            #expect(response.status == .forbidden)
            #expect(try response.problem().detail.contains("renews it itself"))
            #expect(scene.store.renewals.isEmpty)
        }
    }

    @Test func `a thousand renewals at once are a few requests`() async throws {
        try await ChangeScene.run(config: .valid(LeaseFixtures.config(network: "10.0.0.0/12"))) { scene in
            var leases: [LeaseDocument] = []
            for number in 0..<50 { leases.append(try await scene.lease("n\(number)", "192.0.2.\(number + 1)")) }
            let before = scene.store.requestCount
            let known = leases
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let lease = known[number % 50]
                        let key = try SubnetKey(parsing: lease.subnet.replacing("/", with: "-"))
                        let token = LeaseToken(text: lease.token ?? "").digest
                        guard case .renewed = try await scene.servers[0].authority.renew(key, token: token) else {
                            Issue.record("not renewed")
                            return
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(scene.store.requestCount - before <= 40, "\(scene.store.renewals)")
        }
    }

    @Test func `one that goes away does not take the others' renewals along`() async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            scene.store.hang()
            let first = Task { try await renew(lease, token: lease.token, scene) }
            try await ChangeScene.wait("it is under way") { scene.store.waitingCount == 1 }
            first.cancel()
            let second = Task { try await renew(lease, token: lease.token, scene) }
            scene.store.goOn()
            #expect(try await second.value.status == .ok)
        }
    }

    @Test(arguments: ["\"%\"", "%", "%-9d5e", "\"%-9d5e4b1c7a3f2e60\"", "\"1\", \"%\"", "*", "W/\"3\" ,\"%\""])
    func `a lease is released by its revision`(tag: String) async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            let tag = tag.replacing("%", with: lease.modRevision)
            let response = try await scene.ask(.delete, ChangeScene.path(lease), headers: [.ifMatch: tag])
            #expect(response.status == .noContent && response.body.readableBytes == 0)
            try await ChangeScene.wait("its grant is ended too") { scene.store.grantCount == 0 }
            #expect(try await renew(lease, token: lease.token, scene).status == .notFound)
            let again = try await scene.ask(.delete, ChangeScene.path(lease), headers: [.ifMatch: tag])
            #expect(again.status == .notFound)
        }
    }

    @Test func `the tag of a GET releases the lease`() async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            try await scene.settle()
            let tag = try #require(try await scene.ask(.get, ChangeScene.path(lease)).headers[.eTag])
            #expect(tag.contains("-"))
            let path = "/v1/leases/\(lease.subnet.replacing("/", with: "%2F"))"
            #expect(try await scene.ask(.delete, path, headers: [.ifMatch: tag]).status == .noContent)
        }
    }

    @Test(arguments: [
        (nil, 428), ("\"1\"", 412), ("W/\"%\"", 412), ("\"%x\"", 412), ("\"\"", 412), ("1", 412), ("x%", 400),
        ("W/%", 400), ("\"%", 400),
        ("\"%\" \"1\"", 400), ("", 400),
    ])
    func `without the right revision nothing is released`(tag: String?, status: Int) async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            var headers = HTTPFields()
            headers[.ifMatch] = tag?.replacing("%", with: lease.modRevision)
            let response = try await scene.ask(.delete, ChangeScene.path(lease), headers: headers)
            #expect(response.status.code == status)
            #expect(try response.problem().parameter == "If-Match")
            #expect(scene.store.leases.count == 1)
        }
    }

    @Test func `a reservation is not released as a lease, nor a lease as a reservation`() async throws {
        try await ChangeScene.run { scene in
            let lease = try await scene.lease("a", "192.0.2.1")
            let path = ChangeScene.path(lease).replacing("leases", with: "reservations")
            #expect(try await scene.ask(.delete, path).status == .conflict)
            let kept = try await scene.ask(
                .put, "/v1/reservations/10.244.200.0-24", #"{"node":"b","publicIP":"192.0.2.2"}"#)
            #expect(kept.status == .created)
            #expect(
                try await scene.ask(.delete, "/v1/leases/10.244.200.0-24", headers: [.ifMatch: "*"]).status == .conflict
            )
        }
    }

    @Test func `who releases may ask again at once, before the feed has told of it`() async throws {
        try await ChangeScene.run { scene in
            for _ in 0..<10 {
                let lease = try await scene.lease("a", "192.0.2.1")
                try await scene.settle()
                _ = try await scene.ask(.delete, ChangeScene.path(lease), headers: [.ifMatch: "*"])
            }
        }
    }

    @Test func `a subnet that was released is handed out last`() async throws {
        let small = try LeaseFixtures.config(network: "10.244.0.0/21", subnetLength: 24, min: "10.244.1.0")
        try await ChangeScene.run(config: .valid(small)) { scene in
            let first = try await scene.lease("a", "192.0.2.1")
            _ = try await scene.ask(.delete, ChangeScene.path(first), headers: [.ifMatch: "*"])
            try await scene.settle()
            for number in 2...7 {
                let lease = try await scene.lease("n\(number)", "192.0.2.\(number)")
                #expect(lease.subnet != first.subnet)
                try await scene.settle()
            }
            #expect(try await scene.lease("n8", "192.0.2.8").subnet == first.subnet)
        }
    }
}
