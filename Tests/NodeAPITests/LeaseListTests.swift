// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct LeaseListTests {
    @Test func `the list has every lease by subnet at the revision of the set`() async throws {
        let scene = try APIScene(leases: APIScene.leases(3), revision: 42)
        let list: LeaseListDocument = try await scene.document("/v1/leases")
        #expect(list.revision == "42")
        #expect(list.items.map(\.subnet) == ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"])
        #expect(list.continue == nil)
    }

    @Test func `a lease is written as the contract shows it, nulls included`() async throws {
        let scene = try APIScene(leases: [LeaseFixtures.lease("10.244.20.0/24", node: 1, grant: 0x694d85, revision: 12)]
        )
        let text = try await scene.get("/v1/leases").text
        #expect(
            text == #"""
                {"revision":"15","items":[{"subnet":"10.244.20.0/24","ipv6Subnet":null,"node":"n1",\#
                "publicIP":"192.168.0.1","publicIPv6":null,"kind":"lease","owner":"tartan",\#
                "backend":{"type":"vxlan","vni":1,"vtepMAC":"02:00:00:00:00:01"},"etcdLease":"694d85",\#
                "createRevision":"12","modRevision":"12","expiresAt":null,"local":false}]}
                """#)
    }

    @Test func `what is written straight is what the document encodes to`() throws {
        let announcement = LeaseAnnouncement(
            node: NodeID("a \"quoted\" \\ name\n\u{1}ü"), owner: .other("k3s"), publicIP: IPv4Address(1, 20, 255, 0),
            publicIPv6: try IPv6Address(parsing: "fd00::1"),
            backend: .vxlan(ipv4: nil, ipv6: VXLANAnnouncement(vni: 16_777_215, mac: LeaseFixtures.mac(9))))
        let key = SubnetKey(
            try IPv4Prefix(parsing: "10.0.0.0/8"), ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:14::/64"))
        let leases = [
            Lease(
                key: key, announcement: announcement, kind: .reservation, createRevision: Revision(1),
                modRevision: Revision(.max)),
            try LeaseFixtures.lease("10.244.0.0/24", node: 300, named: false),
            Lease(
                key: key,
                announcement: LeaseAnnouncement(
                    node: nil, owner: .unnamed, publicIP: .any, backend: .other("wireguard")),
                kind: .lease(GrantID(-1)), createRevision: Revision(10), modRevision: Revision(11)),
        ]
        for lease in leases {
            var text = JSONText(capacity: 0)
            text.lease(lease, isLocal: true)
            let read = try JSONDecoder().decode(LeaseDocument.self, from: Data(text.bytes))
            #expect(read == LeaseDocument(lease, isLocal: true))
            // The same fields are there, also those that are null.
            let encoded = try JSONSerializationKeys.keys(JSONEncoder().encode(LeaseDocument(lease, isLocal: true)))
            #expect(try JSONSerializationKeys.keys(Data(text.bytes)) == encoded)
        }
    }

    @Test(arguments: [
        ("node=n2", ["10.244.2.0/24"]), ("node=n8", []), ("publicIP=192.168.0.3", ["10.244.3.0/24"]),
        ("contains=10.244.2.77", ["10.244.2.0/24"]), ("contains=10.244.2.128/25", ["10.244.2.0/24"]),
        ("contains=10.244.2.0/24", ["10.244.2.0/24"]), ("contains=10.244.0.0/16", []), ("contains=fd00::1", []),
        ("publicIP=fd00::1", []), ("kind=reservation", ["10.244.9.0/24"]), ("kind=lease&node=n1", ["10.244.1.0/24"]),
        ("kind=reservation&node=n1", []), ("node=%6E2", ["10.244.2.0/24"]),
    ])
    func `a filter leaves what it admits`(query: String, expected: [String]) async throws {
        let reserved = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.9.0/24")), announcement: LeaseFixtures.announcement(node: 9),
            kind: .reservation, createRevision: Revision(3), modRevision: Revision(3))
        let scene = try APIScene(leases: APIScene.leases(3) + [reserved])
        let list: LeaseListDocument = try await scene.document("/v1/leases?\(query)")
        #expect(list.items.map(\.subnet) == expected)
    }

    @Test func `the node's own lease is marked, and the tag with it`() async throws {
        let leases = try APIScene.leases(2)
        let scene = try APIScene(leases: leases)
        let before = try await scene.get("/v1/leases")
        scene.status.update { $0.lease = leases.first { $0.announcement.node?.name == "n2" } }
        let after = try await scene.get("/v1/leases")
        #expect(try after.document(as: LeaseListDocument.self).items.map(\.local) == [false, true])
        #expect(before.headers[.eTag] != after.headers[.eTag])
    }

    @Test func `the same list is not sent twice, and a new revision is`() async throws {
        let scene = try APIScene(leases: APIScene.leases(2))
        let first = try await scene.get("/v1/leases")
        let tag = try #require(first.headers[.eTag])
        #expect(tag.hasPrefix("\"15-"))
        for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let again = try await scene.get("/v1/leases", headers: [.ifNoneMatch: known])
            #expect(again.status == .notModified)
            #expect(again.text.isEmpty)
            #expect(again.headers[.eTag] == tag)
        }
        let otherQuery = try await scene.get("/v1/leases?node=n1", headers: [.ifNoneMatch: tag])
        #expect(otherQuery.status == .ok)
        scene.replaceLeases(try APIScene.leases(2), revision: 16)
        let later = try await scene.get("/v1/leases", headers: [.ifNoneMatch: tag])
        #expect(later.status == .ok)
    }

    @Test func `before the leases are known there is no list, only when to ask again`() async throws {
        let scene = try APIScene(isComplete: false)
        scene.status.update { $0.feedProblem = "etcd does not answer" }
        for path in ["/v1/leases", "/v1/leases/10.244.1.0-24", "/v1/network", "/v1/lookup?ip=10.244.1.1"] {
            let response = try await scene.get(path)
            #expect(response.status == .serviceUnavailable, "\(path)")
            #expect(response.headers[.retryAfter] == "1")
            #expect(try response.problem().detail.contains("etcd does not answer"))
        }
    }
}

/// The names of an object's fields at every depth, to compare two texts in what they leave out.
enum JSONSerializationKeys {
    private struct Names: Decodable {
        let names: [String]

        private struct Key: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            names = container.allKeys.flatMap { key in
                let inner = try? container.decode(Names.self, forKey: key).names
                return [key.stringValue] + (inner ?? []).map { "\(key.stringValue).\($0)" }
            }.sorted()
        }
    }

    static func keys(_ data: Data) throws -> [String] { try JSONDecoder().decode(Names.self, from: data).names }
}
