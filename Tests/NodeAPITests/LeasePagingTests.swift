// SPDX-License-Identifier: Apache-2.0

import APISchema
import HTTPTypes
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct LeasePagingTests {
    @Test func `the pages of a list are the list, whatever happens between them`() async throws {
        let leases = try APIScene.leases(25)
        let scene = try APIScene(leases: leases)
        var subnets: [String] = []
        var query = "limit=10"
        for page in 0..<3 {
            let list: LeaseListDocument = try await scene.document("/v1/leases?\(query)")
            #expect(list.revision == "15")
            #expect(list.items.count == (page < 2 ? 10 : 5))
            subnets += list.items.map(\.subnet)
            guard page < 2 else {
                #expect(list.continue == nil)
                break
            }
            query = "limit=10&continue=\(try #require(list.continue))"
            // Half of the leases go, and others come, at new revisions.
            scene.replaceLeases(
                try APIScene.leases(100).filter { $0.key.subnet.address.bits >> 8 & 1 == 0 }, revision: Int64(20 + page)
            )
        }
        #expect(subnets == leases.sorted { $0.key < $1.key }.map { "\($0.subnet)" })
        let now: LeaseListDocument = try await scene.document("/v1/leases")
        #expect(now.revision == "21")
    }

    @Test func `a page that ends with the list has no token`() async throws {
        let scene = try APIScene(leases: APIScene.leases(4))
        let list: LeaseListDocument = try await scene.document("/v1/leases?limit=4")
        #expect(list.items.count == 4)
        #expect(list.continue == nil)
    }

    @Test func `filters go on over pages`() async throws {
        let scene = try APIScene(leases: APIScene.leases(9))
        let first: LeaseListDocument = try await scene.document("/v1/leases?kind=lease&limit=5")
        let token = try #require(first.continue)
        let second: LeaseListDocument = try await scene.document("/v1/leases?limit=2&continue=\(token)&kind=lease")
        #expect(second.items.map(\.subnet) == ["10.244.6.0/24", "10.244.7.0/24"])
        let other = try await scene.get("/v1/leases?continue=\(token)")
        #expect(other.status == .badRequest)
        #expect(try other.problem().parameter == "continue")
    }

    @Test func `a list that is no longer kept is gone`() async throws {
        let scene = try APIScene(leases: APIScene.leases(3))
        let first: LeaseListDocument = try await scene.document("/v1/leases?limit=1")
        let token = try #require(first.continue)
        // As many other lists are begun as are kept.
        for revision in 0..<Int64(LeaseCatalog.pinLimit) {
            scene.replaceLeases(try APIScene.leases(3), revision: 30 + revision)
            _ = try await scene.get("/v1/leases?limit=1")
        }
        let response = try await scene.get("/v1/leases?limit=1&continue=\(token)")
        #expect(response.status == .gone)
        #expect(try response.problem().detail.contains("start the list anew"))
    }

    @Test(arguments: ["x", "", "MTU", "bm90IG9uZSBvZiBvdXJz", "%FF"])
    func `a token of somebody else is refused`(token: String) async throws {
        let scene = try APIScene(leases: APIScene.leases(3))
        let response = try await scene.get("/v1/leases?limit=1&continue=\(token)")
        #expect(response.status == .badRequest)
    }

    @Test func `a token survives its text`() throws {
        for key in ["10.244.20.0-24", "10.244.20.0-24&fd00:10:244:14::-64"] {
            let token = ContinueToken(
                revision: Revision(.max), last: try SubnetKey(parsing: key), digest: LeaseFilter.none.digest)
            #expect(ContinueToken(parsing: token.text) == token)
            #expect(
                token.text.utf8.allSatisfy {
                    $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=")
                })
        }
    }

    @Test func `the index keeps nested and twin subnets apart`() throws {
        let twin = Lease(
            key: try SubnetKey(parsing: "10.244.20.0-24&fd00:10:244:14::-64"),
            announcement: LeaseFixtures.announcement(node: 2), kind: .reservation, createRevision: Revision(1),
            modRevision: Revision(1))
        let nested = try ["10.244.20.128/25", "10.244.20.0/24", "10.244.20.0/25", "10.0.0.0/8"].map {
            try LeaseFixtures.lease($0, node: 1)
        }
        let index = LeaseIndex(mark: LeaseJournal().mark, leases: nested + [twin])
        #expect(
            index.leases.map(\.key.description) == [
                "10.0.0.0-8", "10.244.20.0-24", "10.244.20.0-24&fd00:10:244:14::-64", "10.244.20.0-25",
                "10.244.20.128-25",
            ])
        for (place, lease) in index.leases.enumerated() { #expect(index.place(after: lease.key) == place + 1) }
        #expect(index.lease(of: twin.subnet)?.key.ipv6Subnet == nil)
        #expect(index.lease(containing: .v4(IPv4Address(10, 244, 20, 200)))?.subnet.length == 25)
        #expect(index.lease(containing: .v4(IPv4Address(10, 9, 9, 9)))?.subnet.length == 8)
        #expect(index.lease(containing: .v6(try IPv6Address(parsing: "fd00:10:244:14::9")))?.key == twin.key)
        #expect(index.lease(containing: .v4(IPv4Address(11, 0, 0, 0))) == nil)
    }
}
