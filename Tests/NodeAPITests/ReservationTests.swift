// SPDX-License-Identifier: Apache-2.0

import APISchema
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAPI

/// `PUT` and `DELETE /v1/reservations/{subnet}`.
@Suite(.timeLimit(.minutes(1))) struct ReservationTests {
    private static let path = "/v1/reservations/10.244.9.0-24"
    private static let body = #"{"node":"a","publicIP":"192.0.2.1"}"#

    @Test func `a subnet is kept, once, until it is given back`() async throws {
        try await ChangeScene.run { scene in
            let made = try await scene.ask(.put, Self.path, Self.body)
            #expect(made.status == .created && made.headers[.location] == "/v1/leases/10.244.9.0-24")
            let lease: LeaseDocument = try made.document()
            #expect(lease.kind == .reservation && lease.token == nil && lease.etcdLease == nil)
            let again = try await scene.ask(.put, Self.path, Self.body)
            #expect(again.status == .ok && again.headers[.eTag] == made.headers[.eTag])
            try await scene.settle()
            let list: LeaseListDocument = try await scene.ask(.get, "/v1/leases?kind=reservation").document()
            #expect(list.items.map(\.subnet) == ["10.244.9.0/24"])
            #expect(try await scene.ask(.delete, Self.path).status == .noContent)
            #expect(try await scene.ask(.delete, Self.path).status == .notFound)
        }
    }

    @Test func `another is changed only by its revision`() async throws {
        try await ChangeScene.run { scene in
            let made = try await scene.ask(.put, Self.path, Self.body)
            let tag = try #require(made.headers[.eTag])
            let other = #"{"node":"b","publicIP":"192.0.2.2"}"#
            let refused = try await scene.ask(.put, Self.path, other)
            #expect(refused.status == .conflict)
            #expect(try refused.problem().detail.contains("'a' at 192.0.2.1"))
            for headers: HTTPFields in [[.ifMatch: "\"1\""], [.ifNoneMatch: "*"], [.ifNoneMatch: tag]] {
                #expect(try await scene.ask(.put, Self.path, other, headers: headers).status == .preconditionFailed)
            }
            let changed = try await scene.ask(.put, Self.path, other, headers: [.ifMatch: tag])
            #expect(changed.status == .ok)
            #expect(try changed.document(as: LeaseDocument.self).node == "b")
            #expect(try await scene.ask(.delete, Self.path, headers: [.ifMatch: tag]).status == .preconditionFailed)
            let nowhere = "/v1/reservations/10.244.10.0-24"
            #expect(try await scene.ask(.put, nowhere, other, headers: [.ifMatch: "*"]).status == .preconditionFailed)
        }
    }

    @Test func `a leased subnet is not taken from its holder`() async throws {
        try await ChangeScene.run { scene in
            _ = try await scene.lease("x", "192.0.2.7", #","subnet":"10.244.9.0/24""#)
            for headers: HTTPFields in [[:], [.ifMatch: "*"]] {
                let response = try await scene.ask(.put, Self.path, Self.body, headers: headers)
                #expect(response.status == .conflict)
                #expect(try response.problem().detail.contains("'x' at 192.0.2.7"))
            }
        }
    }

    @Test func `a reservation is leased to its node once, and whoever repeats it with its key changes nothing`()
        async throws
    {
        try await ChangeScene.run(authorities: 2) { scene in
            let key = try #require(HTTPField.Name("Idempotency-Key"))
            let vxlan = #"{"node":"a","publicIP":"192.0.2.1","backend":{"type":"vxlan","vtepMAC":"02:00:00:00:00:01"}}"#
            #expect(try await scene.ask(.put, Self.path, vxlan).status == .created)
            try await scene.settle()
            let headers: HTTPFields = [key: "7d1f3c52-8f0e-4a6b-9c1d-2e3f4a5b6c7d"]
            let taken: LeaseDocument = try await scene.ask(.post, "/v1/leases", Self.body, headers: headers).document()
            #expect(taken.subnet == "10.244.9.0/24" && taken.backend.vtepMAC == "02:00:00:00:00:01")
            try await scene.settle()
            let revision = scene.store.revision
            for authority in 0..<2 {
                let again = try await scene.ask(.post, "/v1/leases", Self.body, headers: headers, at: authority)
                #expect(try again.document(as: LeaseDocument.self).token == taken.token)
                // As an operator's tool does it, time and again.
                #expect(try await scene.ask(.put, Self.path, Self.body, at: authority).status == .ok)
                for other: HTTPFields in [[:], [key: "another-key-of-another-client"]] {
                    let refused = try await scene.ask(.post, "/v1/leases", Self.body, headers: other, at: authority)
                    #expect(refused.status == .conflict)
                    #expect(try refused.problem().detail.contains("/v1/reservations/10.244.9.0-24"))
                }
            }
            #expect(scene.store.revision == revision)
            let renewed = try await scene.ask(
                .post, "\(ChangeScene.path(taken))/renew", #"{"token":"\#(taken.token ?? "")"}"#)
            #expect(renewed.status == .ok)
        }
    }

    @Test(arguments: [
        ("10.99.0.0-24", 422), ("10.244.9.1-24", 422), ("10.244.9.0-25", 422), ("10.244.9.0", 400), ("x", 400),
        ("10.244.9.0-33", 400), ("10.244.9.0-24&fd00::-64", 422), ("10.244.9.0-24&:::-64", 422),
    ])
    func `what is no subnet and what is none of this network are told apart`(
        subnet: String, status: Int
    ) async throws {
        try await ChangeScene.run { scene in
            let response = try await scene.ask(.put, "/v1/reservations/\(subnet)", Self.body)
            #expect(response.status.code == status)
            #expect(try response.problem().parameter == "subnet")
        }
    }
}
