// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct MetricsRouteTests {
    @Test func `the leases and the network are counted`() async throws {
        let scene = try APIScene(leases: APIScene.leases(20))
        let key = try SubnetKey(parsing: "10.244.3.0-24")
        let other = try SubnetKey(parsing: "10.244.4.0-24")
        scene.status.update {
            $0.faults[key] = "no VTEP"
            $0.ipv6Faults = [key: "IPv6: no VTEP", other: "IPv6: no VTEP"]
        }
        let response = try await scene.get("/metrics", headers: [.accept: "application/openmetrics-text"])
        #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            "tartan_build_info{version=\"1.2.3\"} 1", "tartan_leases{kind=\"lease\",state=\"ok\"} 18",
            "tartan_leases{kind=\"lease\",state=\"faulty\"} 2", "tartan_network_subnets{state=\"used\"} 20",
            "tartan_node_phase{phase=\"starting\"} 1", "tartan_node_ready{check=\"etcd\"} 1",
            "tartan_watch_revision 15", "tartan_watch_lag_seconds 0",
        ] {
            #expect(response.text.contains("\n" + line + "\n"), "\(line)")
        }
        #expect(response.text.contains("process_resident_memory_bytes "))
    }

    @Test func `a path that is not there and a method that is none make no series of their own`() async throws {
        let scene = try APIScene()
        for number in 0..<20 { _ = try await scene.get("/nowhere/\(number)", method: .init("M\(number)") ?? .get) }
        let series = scene.metrics.split(separator: "\n").filter { $0.hasPrefix("tartan_http_requests_total") }
        #expect(series == ["tartan_http_requests_total{method=\"other\",route=\"unmatched\",status=\"404\"} 20"])
    }

    @Test func `the census follows the changes to the same numbers as a count of all`() throws {
        var random = SystemRandomNumberGenerator()
        let scene = try APIScene(leases: APIScene.leases(40))
        var census = LeaseCensus()
        for revision in Int64(16)...300 {
            let number = Int.random(in: 1...60, using: &random)
            let key = try SubnetKey(parsing: "10.244.\(number).0-24")
            let isReservation = Bool.random(using: &random)
            let lease = Lease(
                key: key, announcement: LeaseFixtures.announcement(node: number),
                kind: isReservation ? .reservation : .lease(GrantID(7)), createRevision: Revision(revision),
                modRevision: Revision(revision))
            scene.change(
                [Bool.random(using: &random) ? .gone(name: "\(key)", at: Revision(revision)) : .lease(lease)],
                revision: revision)
            scene.status.read { census.follow($0) }
            let index = try LeaseCatalog(status: scene.status).current()
            let usage = NetworkUsage(try LeaseFixtures.config(), index: index, unreadable: [])
            let counted = try #require(census.usage)
            #expect(counted == (usage.used, usage.reserved, usage.free))
            #expect(census.leases + census.reservations == index.leases.count)
        }
    }

    @Test func `a scrape of ten thousand leases looks at none of them`() throws {
        let scene = try APIScene(config: .valid(Self.wide), leases: APIScene.leases(10_000))
        let server = scene.server
        _ = server.metricsRoute.text()
        let clock = ContinuousClock()
        let times = (0..<20).map { _ in clock.measure { _ = server.metricsRoute.text() } }.sorted()
        print("a scrape at 10,000 leases: \(times[10])")
        // A look at each would be some milliseconds in a debug build; this is text and /proc.
        #expect(times[10] < .milliseconds(20))
    }

    private static let wide: NetworkConfig = {
        do { return try LeaseFixtures.config() } catch { preconditionFailure("\(error)") }
    }()
}
