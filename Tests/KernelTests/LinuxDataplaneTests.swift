// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import LinuxDataplane
import Netlink
import TestKit
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct LinuxDataplaneTests {
    @Test(arguments: DataplaneDriverRule.allCases, [LinuxDataplaneDriver.NextHopUse.whereSupported, .never])
    func `the kernel keeps the promise`(rule: DataplaneDriverRule, nextHops: LinuxDataplaneDriver.NextHopUse)
        async throws
    {
        let scene = try await DataplaneScene()
        let driver = try scene.driver(nextHops)
        let device = try await scene.device(driver)
        try await DataplaneDriverConformance(driver: driver, device: device).check(rule)
    }

    @Test func `ip and bridge print what was applied`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        #expect(await driver.apply(PeerPlan.additions(1...3)) == [])
        let routes = try await scene.list("ip -j route show proto 116")
        #expect(routes.map { $0["dst"] as? String } == ["10.200.1.0/24", "10.200.2.0/24", "10.200.3.0/24"])
        #expect(routes.allSatisfy { $0["nhid"] != nil && $0["gateway"] != nil && $0["dev"] as? String == "tartan.1" })
        let nextHops = try await scene.list("ip -j nexthop show dev tartan.1")
        #expect(nextHops.count == 3 && nextHops.allSatisfy { "\($0["protocol"] ?? "")" == "116" })
        let neighbors = try await scene.list("ip -j -4 neigh show dev tartan.1 nud permanent")
        #expect(Set(neighbors.compactMap { $0["lladdr"] as? String }).contains("02:00:00:00:00:03"))
        let fdb = try await scene.list("bridge -j fdb show dev tartan.1")
        #expect(Set(fdb.compactMap { $0["dst"] as? String }) == ["192.168.7.1", "192.168.7.2", "192.168.7.3"])
    }

    @Test func `without next-hop objects the routes are classic`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver(.never)
        try await driver.prepare(scene.device(driver))
        #expect(await driver.apply(PeerPlan.additions(1...2, usesNextHops: false)) == [])
        let routes = try await scene.list("ip -j route show proto 116")
        #expect(routes.map { $0["gateway"] as? String } == ["10.200.1.0", "10.200.2.0"])
        #expect(routes.allSatisfy { $0["nhid"] == nil && ($0["flags"] as? [String])?.contains("onlink") == true })
    }

    @Test func `next hops of ours are seen where they are used no more`() async throws {
        let scene = try await DataplaneScene()
        let modern = try scene.driver()
        let device = try await scene.device(modern)
        try await modern.prepare(device)
        #expect(await modern.apply(PeerPlan.additions(1...2)) == [])
        let classic = try scene.driver(.never)
        _ = try await scene.device(classic)
        try await classic.prepare(device)
        #expect(try await classic.seen() == modern.seen())
    }

    @Test func `entries that are not ours are neither seen nor touched`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        try await scene.ip("ip route add 10.200.1.0/24 via 192.168.7.9 dev eth0")
        try await scene.ip("ip nexthop add id 7 via 192.168.7.9 dev eth0")
        try await scene.ip("ip nexthop add id 180879872 via 192.168.7.9 dev eth0")  // what 10.200.2.0 would have
        #expect(try await driver.seen() == DataplaneState())
        let failures = await driver.apply(PeerPlan.additions(1...3))
        #expect(
            failures.map(\.error.description).sorted() == [
                "add nexthop id 180879872 via 10.200.2.0 dev vxlan onlink: another program's is there, which is left "
                    + "alone; remove it to let this one in",
                "add route 10.200.1.0/24 nhid 180879616: another program's is there, which is left alone; remove it to "
                    + "let this one in",
            ])
        #expect(failures.allSatisfy { $0.error.remedy == .retry })
        guard let foreign = IPv4Prefix(IPv4Address(10, 200, 1, 0), length: 24) else { return }
        let removal = Operation.removeRoute(Route(destination: foreign, path: .gateway(IPv4Address(bits: 0), .vxlan)))
        #expect(await driver.apply([removal]) == [])
        #expect(try await scene.list("ip -j route show 10.200.1.0/24").first?["gateway"] as? String == "192.168.7.9")
    }

    @Test func `a route of another program that took our route's place is not replaced`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        #expect(await driver.apply(PeerPlan.additions(1...2)) == [])
        try await scene.ip("ip route replace 10.200.1.0/24 via 192.168.7.9 dev eth0")
        guard let subnet = IPv4Prefix(PeerPlan.gateway(1), length: 24) else { return }
        let path = Route<IPv4Address>.Path.nextHop(NextHopID(PeerPlan.gateway(2).bits))
        let replacing = Operation.setRoute(Route(destination: subnet, path: path), replacing: true)
        let failures = await driver.apply([replacing])
        #expect(failures.count == 1 && failures.first?.error.description.contains("another program's") == true)
        let there = try await scene.list("ip -j route show 10.200.1.0/24")
        #expect(there.map { $0["gateway"] as? String } == ["192.168.7.9"])
        try await scene.ip("ip route del 10.200.1.0/24")
        #expect(await driver.apply([replacing]) == [], "where ours is gone, too, there is nothing in the way")
        #expect(try await driver.seen().routes[subnet] == path)
        // Behind another program's, of which the kernel's own replacing takes the first.
        try await scene.ip("ip route prepend 10.200.1.0/24 via 192.168.7.9 dev eth0")
        _ = await driver.apply([replacing])
        #expect(try await scene.ip("ip route show 10.200.1.0/24").contains("192.168.7.9"))
    }

    @Test func `a route that lost its next hop meanwhile asks for a look, a bad one does not`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        let route = PeerPlan.additions(1...1).suffix(1)
        #expect(await driver.apply(Array(route)).map(\.error.remedy) == [.resync])
        // Its own next hop is refused in the same plan, so the route's failure is no news.
        let bad = NextHop(
            id: NextHopID(IPv4Address(10, 200, 1, 0).bits), gateway: IPv4Address(224, 0, 0, 1),
            device: .vxlan)
        let failures = await driver.apply([.setNextHop(bad, replacing: false)] + Array(route))
        #expect(failures.map(\.index) == [0, 1] && failures.allSatisfy { $0.error.remedy == .retry })
    }

    @Test func `five thousand peers cost few sends, and so does their withdrawal`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        let additions = PeerPlan.additions(1...5000)
        #expect(try await driver.supportsNextHops())
        let before = await driver.sendCount
        #expect(await driver.apply(additions) == [])
        let sends = await driver.sendCount - before
        #expect(sends <= 20, "\(additions.count) operations in \(sends) sends")
        let seen = try await driver.seen()
        #expect(seen.count == 20_000)
        #expect(await driver.sendCount - before - sends == 4, "one request a table")
        #expect(await driver.apply(PeerPlan.removals(1...5000)) == [])
        #expect(try await driver.seen() == DataplaneState())
    }
}
