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

/// `POST /v1/leases`: a subnet for a node that is not this one.
@Suite(.timeLimit(.minutes(1))) struct LeaseRequestTests {
    @Test func `a node gets a subnet, a token and a time until which it lives`() async throws {
        try await ChangeScene.run { scene in
            let response = try await scene.ask(
                .post, "/v1/leases",
                #"{"node":"edge-1","publicIP":"192.0.2.1","backend":{"type":"vxlan","vtepMAC":"02:00:00:00:00:01"}}"#)
            #expect(response.status == .created)
            let lease: LeaseDocument = try response.document()
            #expect(response.headers[.location] == ChangeScene.path(lease))
            #expect(response.headers[.eTag] == "\"\(lease.modRevision)\"")
            #expect(lease.node == "edge-1" && lease.publicIP == "192.0.2.1" && lease.kind == .lease && !lease.local)
            #expect(lease.backend == BackendDocument(type: "vxlan", vni: 1, vtepMAC: "02:00:00:00:00:01"))
            #expect(lease.ttl == 59 && lease.expiresAt != nil)
            #expect(try #require(lease.token).utf8.count == 43)
            try await scene.settle()
            let read: LeaseDocument = try await scene.ask(.get, ChangeScene.path(lease)).document()
            #expect(read.subnet == lease.subnet && read.token == nil)
        }
    }

    @Test func `two tokens are never the same, and the store knows none`() async throws {
        try await ChangeScene.run { scene in
            let one = try await scene.lease("a", "192.0.2.1")
            let two = try await scene.lease("b", "192.0.2.2")
            #expect(one.token != two.token && one.subnet != two.subnet)
        }
    }

    @Test(arguments: [
        (#"{"node":"b","publicIP":"192.0.2.1"}"#, "publicIP"), (#"{"node":"a","publicIP":"192.0.2.9"}"#, "node"),
        (#"{"node":"a","publicIP":"192.0.2.1"}"#, "node"),
        (#"{"node":"c","publicIP":"192.0.2.3","subnet":"10.244.7.0/24"}"#, "subnet"),
    ])
    func `who is in the way is named`(body: String, parameter: String) async throws {
        try await ChangeScene.run { scene in
            _ = try await scene.lease("a", "192.0.2.1", #","subnet":"10.244.7.0/24""#)
            try await scene.settle()
            let response = try await scene.ask(.post, "/v1/leases", body)
            #expect(response.status == .conflict)
            let problem = try response.problem()
            #expect(problem.parameter == parameter)
            #expect(problem.detail.contains("'a' at 192.0.2.1") && problem.detail.contains("10.244.7.0/24"))
        }
    }

    @Test func `a request that is repeated with its key gets the same lease and token, at every authority`()
        async throws
    {
        try await ChangeScene.run(authorities: 2) { scene in
            let key = try #require(HTTPField.Name("Idempotency-Key"))
            let body = #"{"node":"a","publicIP":"192.0.2.1"}"#
            let headers: HTTPFields = [key: "7d1f3c52-8f0e-4a6b-9c1d-2e3f4a5b6c7d"]
            let first: LeaseDocument = try await scene.ask(.post, "/v1/leases", body, headers: headers).document()
            try await scene.settle()
            for authority in 0..<2 {
                let again = try await scene.ask(.post, "/v1/leases", body, headers: headers, at: authority)
                #expect(again.status == .created)
                let lease: LeaseDocument = try again.document()
                #expect(lease.subnet == first.subnet && lease.token == first.token)
            }
            let other = try await scene.ask(
                .post, "/v1/leases", body, headers: [key: "another-key-of-another-client"], at: 1)
            #expect(other.status == .conflict)
            #expect(scene.store.leases.count == 1)
        }
    }

    @Test func `what came of a request that is refused is ended before the answer, and counted`() async throws {
        // Nobody runs this authority, and its status knows of no lease.
        let scene = try APIScene(revision: 1)
        func ask(_ node: String) async throws -> TestResponse {
            try await scene.test { client in
                try await client.executeRequest(
                    uri: "/v1/leases", method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: #"{"node":"\#(node)","publicIP":"192.0.2.1"}"#))
            }
        }
        #expect(try await ask("a").status == .created)
        #expect(scene.store.grantCount == 1)
        let refused = try await ask("a")
        #expect(refused.status == .conflict && refused.headers[.requestID] != nil)
        #expect(scene.store.grantCount == 1 && scene.store.leases.count == 1)
        #expect(scene.metrics.contains(#"tartan_lease_conflicts_total{kind="claim"} 1"#))
        scene.replaceLeases(scene.store.leases, revision: 2)
        #expect(try await ask("b").status == .conflict)
        #expect(scene.metrics.contains(#"tartan_lease_conflicts_total{kind="identity"} 1"#))
    }

    @Test func `a grant that could not be ended is tried once more when the daemon stops`() async throws {
        let scene = try APIScene(revision: 1, listen: ListeningTests.anyPort)
        try await Running.run(scene) { address in
            scene.store.loseAnswers(1)
            // The grant and the lease; what ends them hangs.
            scene.store.hang(after: 2, only: 1)
            let body = #"{"node":"a","publicIP":"192.0.2.1"}"#
            let answer = try await RawConnection(address).ask(
                "POST /v1/leases HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(answer.status == 503)
            try await ChangeScene.wait("it hangs") { scene.store.waitingCount == 1 }
            #expect(scene.store.leases.count == 1)
        }
        #expect(scene.store.leases.isEmpty && scene.store.grantCount == 0)
    }

    @Test func `in a network without IPv4 nothing is leased to others`() async throws {
        try await ChangeScene.run(
            config: .valid(LeaseFixtures.config(ipv6: "fd00:10:244::/56", hasIPv4: false))
        ) { scene in
            let response = try await scene.ask(.post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1"}"#)
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().detail.contains("no IPv4"))
            let other = try LeaseFixtures.dualLease(nil, "fd00:10:244:7::/64", node: 1)
            scene.store.put(other.key, other.announcement)
            try await scene.settle()
            #expect(try await scene.ask(.get, "/v1/leases/0.0.0.0-0").status == .notFound)
            #expect(try await scene.ask(.delete, "/v1/reservations/0.0.0.0-0").status == .notFound)
            #expect(scene.store.leases.count == 1)
        }
    }

    @Test func `a lease whose answer was lost does not stay behind`() async throws {
        try await ChangeScene.run { scene in
            scene.store.loseAnswers(1)
            let body = #"{"node":"a","publicIP":"192.0.2.1"}"#
            let response = try await scene.ask(.post, "/v1/leases", body)
            #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] == "1")
            try await ChangeScene.wait("its grant is ended") {
                scene.store.leases.isEmpty && scene.store.grantCount == 0
            }
            try await scene.settle()
            let again = try await scene.ask(.post, "/v1/leases", body)
            #expect(again.status == .created)
        }
    }

    @Test func `with its key, a lease whose answer was lost is found again`() async throws {
        try await ChangeScene.run(authorities: 2) { scene in
            let headers: HTTPFields = [try #require(HTTPField.Name("Idempotency-Key")): "\"0123456789abcdef\""]
            let body = #"{"node":"a","publicIP":"192.0.2.1"}"#
            scene.store.loseAnswers(1)
            let lost = try await scene.ask(.post, "/v1/leases", body, headers: headers)
            #expect(lost.status == .serviceUnavailable)
            try await scene.settle()
            let found = try await scene.ask(.post, "/v1/leases", body, headers: headers, at: 1)
            #expect(found.status == .created && scene.store.leases.count == 1)
            let lease: LeaseDocument = try found.document()
            let renewed = try await scene.ask(
                .post, "\(ChangeScene.path(lease))/renew", #"{"token":"\#(lease.token ?? "")"}"#)
            #expect(renewed.status == .ok)
        }
    }

    @Test func `while etcd can't be reached nothing is leased, and the client is told when to come again`() async throws
    {
        try await ChangeScene.run { scene in
            scene.store.fail(with: LeaseStoreError(remedy: .retry, description: "etcd at x: Connection refused"))
            for (method, path, body) in [
                (HTTPRequest.Method.post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1"}"#),
                (.post, "/v1/leases/10.244.1.0-24/renew", #"{"token":"x"}"#),
                (.put, "/v1/reservations/10.244.1.0-24", #"{"node":"a","publicIP":"192.0.2.1"}"#),
            ] {
                let response = try await scene.ask(method, path, body)
                #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] == "1")
                #expect(try response.problem().detail.contains("Connection refused"))
            }
            #expect(scene.store.leases.isEmpty)
        }
    }

    @Test func `two authorities asked at once for the same node lease it one subnet`() async throws {
        try await ChangeScene.run(authorities: 2) { scene in
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await scene.ask(
                            .post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1"}"#, at: number % 2
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .created } == 1)
            #expect(statuses.allSatisfy { $0 == .created || $0 == .conflict })
            try await ChangeScene.wait("nothing else is left") {
                scene.store.leases.count == 1 && scene.store.grantCount == 1
            }
        }
    }

    @Test func `a node gets the subnet that is kept for it once, and its token goes on to count`() async throws {
        try await ChangeScene.run { scene in
            let body = #"{"node":"a","publicIP":"192.0.2.1"}"#
            let kept = try await scene.ask(.put, "/v1/reservations/10.244.9.0-24", body)
            #expect(kept.status == .created)
            try await scene.settle()
            let first = try await scene.lease("a", "192.0.2.1")
            #expect(first.subnet == "10.244.9.0/24" && first.kind == .reservation && first.expiresAt == nil)
            try await scene.settle()
            #expect(try await scene.ask(.post, "/v1/leases", body).status == .conflict)
            let path = "\(ChangeScene.path(first))/renew"
            #expect(try await scene.ask(.post, path, #"{"token":"\#(first.token ?? "")"}"#).status == .ok)
        }
    }

    @Test(arguments: [
        ("{", ""), ("[]", ""), ("\"x\"", ""), ("", ""), ("{}", "node"), (#"{"node":"a"}"#, "publicIP"),
        (#"{"node":1,"publicIP":"192.0.2.1"}"#, "node"), (#"{"node":"a b","publicIP":"192.0.2.1"}"#, "node"),
        (#"{"node":"","publicIP":"192.0.2.1"}"#, "node"), (#"{"node":"a","publicIP":"192.0.2"}"#, "publicIP"),
        (#"{"node":"a","publicIP":"127.0.0.1"}"#, "publicIP"), (#"{"node":"a","publicIP":"0.0.0.0"}"#, "publicIP"),
        (#"{"node":"a","publicIP":"224.0.0.1"}"#, "publicIP"),
        (#"{"node":"a","publicIP":"192.0.2.1","ttl":1}"#, "ttl"),
        (#"{"node":"a","publicIP":"192.0.2.1","ttl":"60"}"#, "ttl"),
        (#"{"node":"a","publicIP":"192.0.2.1","ttl":1e999}"#, ""),
        (#"{"node":"a","publicIP":"192.0.2.1","subnet":"10.244.1.0"}"#, "subnet"),
        (#"{"node":"a","publicIP":"192.0.2.1","nod":"b"}"#, "nod"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":{}}"#, "backend.type"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":{"type":"x"}}"#, "backend.type"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":{"type":"vxlan"}}"#, "backend.vtepMAC"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":{"type":"host-gw","vni":1}}"#, "backend"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":{"type":"host-gw","mac":"x"}}"#, "backend.mac"),
        (#"{"node":"a","publicIP":"192.0.2.1","backend":[]}"#, "backend"),
    ])
    func `a body that can't be used is told with the field's name`(body: String, field: String) async throws {
        try await ChangeScene.run { scene in
            let response = try await scene.ask(.post, "/v1/leases", body)
            #expect(response.status == .badRequest, "\(response.text)")
            let problem = try response.problem()
            #expect(problem.parameter ?? "" == field, "\(problem)")
            #expect(scene.store.leases.isEmpty && scene.store.grantCount == 0)
        }
    }

    @Test func `what the network does not give out is another matter than what can't be read`() async throws {
        try await ChangeScene.run { scene in
            for subnet in ["10.99.0.0/24", "10.244.1.1/24", "10.244.0.0/16"] {
                let response = try await scene.ask(
                    .post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1","subnet":"\#(subnet)"}"#)
                #expect(response.status == .unprocessableContent)
                #expect(try response.problem().parameter == "subnet")
            }
        }
    }

    @Test func `a body that is too large or no JSON is not read`() async throws {
        try await ChangeScene.run { scene in
            let large = try await scene.ask(
                .post, "/v1/leases", #"{"node":"\#(String(repeating: "a", count: 70_000))"}"#)
            #expect(large.status == .contentTooLarge)
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
                let response = try await scene.ask(
                    .post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1"}"#, headers: [.contentType: type])
                #expect(response.status == .unsupportedMediaType)
            }
            let spelled = try await scene.ask(
                .post, "/v1/leases", #"{"node":"a","publicIP":"192.0.2.1"}"#,
                headers: [.contentType: "Application/JSON; charset=utf-8"])
            #expect(spelled.status == .created)
        }
    }

    @Test func `a range that is full is a conflict`() async throws {
        let small = try LeaseFixtures.config(network: "10.244.0.0/22", subnetLength: 24, min: "10.244.1.0")
        try await ChangeScene.run(config: .valid(small)) { scene in
            for number in 1...3 { _ = try await scene.lease("n\(number)", "192.0.2.\(number)") }
            try await scene.settle()
            let response = try await scene.ask(.post, "/v1/leases", #"{"node":"n4","publicIP":"192.0.2.4"}"#)
            #expect(response.status == .conflict)
            #expect(try response.problem().detail.contains("all 3 subnets"))
        }
    }

    @Test func `everything that changes something is one list`() async throws {
        try await ChangeScene.run { scene in
            let changes = scene.servers[0].endpoints.filter(\.isChange).map { "\($0.method) \($0.path)" }
            #expect(
                Set(changes) == [
                    "POST /v1/leases", "POST /v1/leases/{subnet}/renew", "DELETE /v1/leases/{subnet}",
                    "PUT /v1/reservations/{subnet}", "DELETE /v1/reservations/{subnet}",
                ])
        }
    }
}
