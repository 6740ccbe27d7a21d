// SPDX-License-Identifier: Apache-2.0

import APISchema
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

@Suite struct OneLeaseTests {
    @Test func `a lease is told with what is left of it`() async throws {
        let scene = try APIScene()
        let grant = try await scene.store.grant(ttl: .seconds(3600))
        scene.replaceLeases([try LeaseFixtures.lease("10.244.20.0/24", node: 1, grant: grant.id.value)], revision: 20)
        let response = try await scene.get("/v1/leases/10.244.20.0-24")
        let lease: LeaseDocument = try response.document()
        #expect(response.headers[.eTag]?.hasPrefix("\"10-") == true)
        #expect(lease.ttl == 3600)
        let end = try Date(#require(lease.expiresAt), strategy: .iso8601)
        #expect(abs(end.timeIntervalSinceNow - 3600) < 30)
    }

    @Test func `what a client has is not sent again while it is the same`() async throws {
        let lease = try LeaseFixtures.lease("10.244.20.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        let tag = try #require(try await scene.get("/v1/leases/10.244.20.0-24").headers[.eTag])
        let same = try await scene.get("/v1/leases/10.244.20.0-24", headers: [.ifNoneMatch: tag])
        #expect(same.status == .notModified)
        #expect(same.headers[.eTag] == tag)
        #expect(same.text.isEmpty)
        scene.status.update { $0.lease = lease }
        let other = try await scene.get("/v1/leases/10.244.20.0-24", headers: [.ifNoneMatch: tag])
        #expect(other.status == .ok)
        #expect(other.headers[.eTag] != tag)
    }

    @Test func `where etcd does not say, the lease is told without`() async throws {
        let scene = try APIScene(leases: [LeaseFixtures.lease("10.244.20.0/24", node: 1)])
        scene.store.fail(with: LeaseStoreError(remedy: .retry, description: "etcd is away"))
        let lease: LeaseDocument = try await scene.document("/v1/leases/10.244.20.0-24")
        #expect(lease.ttl == nil)
        #expect(lease.expiresAt == nil)
        #expect(lease.subnet == "10.244.20.0/24")
    }

    @Test func `an etcd that hangs holds nobody up`() async throws {
        let scene = try APIScene(leases: [LeaseFixtures.lease("10.244.20.0/24", node: 1)])
        let catalog = LeaseCatalog(status: scene.status)
        var routes = LeaseRoutes(
            status: scene.status, store: HangingStore(), catalog: catalog,
            events: EventStreamRoute(broadcast: scene.server.broadcast), version: "1")
        routes.remainingTimeLimit = .milliseconds(20)
        let router = Router(context: APIRequestContext.self)
        for endpoint in routes.endpoints {
            router.on(RouterPath(endpoint.path), method: endpoint.method, use: endpoint.handler)
        }
        let response = try await Application(router: router).test(.router) { client in
            try await client.executeRequest(uri: "/v1/leases/10.244.20.0-24", method: .get, headers: [:], body: nil)
        }
        #expect(try response.document(as: LeaseDocument.self).ttl == nil)
    }

    @Test func `a reservation asks etcd nothing`() async throws {
        let scene = try APIScene(leases: [
            Lease(
                key: SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/24")),
                announcement: LeaseFixtures.announcement(node: 1), kind: .reservation, createRevision: Revision(1),
                modRevision: Revision(2))
        ])
        let lease: LeaseDocument = try await scene.document("/v1/leases/10.244.20.0-24")
        #expect(lease.kind == .reservation)
        #expect(lease.expiresAt == nil)
        #expect(scene.store.requestCount == 0)
    }

    @Test func `a lease of both families is found by either name`() async throws {
        let key = try SubnetKey(parsing: "10.244.20.0-24&fd00:10:244:14::-64")
        let scene = try APIScene(leases: [
            Lease(
                key: key, announcement: LeaseFixtures.announcement(node: 1), kind: .reservation,
                createRevision: Revision(1), modRevision: Revision(2))
        ])
        for name in ["10.244.20.0-24", "10.244.20.0-24&fd00:10:244:14::-64", "10.244.20.0-24%26fd00%3A10:244:14::-64"] {
            let lease: LeaseDocument = try await scene.document("/v1/leases/\(name)")
            #expect(lease.ipv6Subnet == "fd00:10:244:14::/64")
        }
    }

    @Test(arguments: [
        ("10.244.99.0-24", 404), ("10.244.20.7-24", 404), ("10.244.20.0", 400), ("x", 400), ("10.244.20.0%2F24", 404),
        ("%GG", 400), ("10.244.20.0-24?verbose", 400),
    ])
    func `a subnet that is none or nobody's is told so`(name: String, status: Int) async throws {
        let scene = try APIScene(leases: APIScene.leases(3))
        let response = try await scene.get("/v1/leases/\(name)")
        #expect(response.status.code == status)
        #expect(try response.problem().status == status)
    }
}

/// A store that answers nothing until it is cancelled.
struct HangingStore: LeaseStore {
    func feed() -> AsyncThrowingFeed { InMemoryLeaseStore(config: .missing).feed() }
    func grant(ttl: Duration) async throws(LeaseStoreError) -> Grant { try await hang() }
    func renew(_ grant: GrantID) async throws(LeaseStoreError) -> Duration? { try await hang() }
    func commit(_ claim: LeaseClaim) async throws(LeaseStoreError) -> ClaimOutcome { try await hang() }
    func release(_ key: SubnetKey, at revision: Revision) async throws(LeaseStoreError) -> Bool { try await hang() }
    func release(_ lease: Lease) async throws(LeaseStoreError) -> Bool { try await hang() }
    func noteFreed(_ lease: Lease) async throws(LeaseStoreError) { let _: Bool = try await hang() }
    func revoke(_ grant: GrantID) async throws(LeaseStoreError) { let _: Bool = try await hang() }
    func remainingTime(of grant: GrantID) async throws(LeaseStoreError) -> Duration? { try await hang() }

    private func hang<Value>() async throws(LeaseStoreError) -> Value {
        try? await Task.sleep(for: .seconds(600))
        throw LeaseStoreError(remedy: .cancelled, description: "cancelled")
    }
}
