// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import NodeClient
import Testing

@testable import tartan

@Suite struct NetworkMapTests {
    private func lease(
        _ subnet: String, _ node: String?, ip: String, kind: LeaseKind = .lease, local: Bool = false,
        mac: String? = nil, created: String = "5", owner: String? = "tartan"
    ) -> LeaseDocument {
        LeaseDocument(
            subnet: subnet, ipv6Subnet: nil, node: node, publicIP: ip, publicIPv6: nil, kind: kind, owner: owner,
            backend: BackendDocument(type: "vxlan", vni: 1, vtepMAC: mac), etcdLease: nil, createRevision: created,
            modRevision: "9", local: local)
    }

    private func network(_ prefix: String, first: String, last: String, length: Int) -> NetworkDocument {
        NetworkDocument(
            revision: "9",
            config: NetworkConfigDocument(
                network: prefix, subnetLength: length, subnetMin: first, subnetMax: last,
                backend: .init(type: "vxlan")), problem: nil,
            range: SubnetRangeDocument(first: first, last: last, subnetLength: length, size: 15), ipv6Range: nil,
            used: 2, reserved: 1, free: 12)
    }

    @Test func `a map has a mark for each subnet, a round address before each row, and blanks outside the range`()
        throws
    {
        let map = try #require(
            NetworkMap(
                network("10.9.0.0/20", first: "10.9.1.0/24", last: "10.9.14.0/24", length: 24),
                leases: [
                    lease("10.9.1.0/24", "a", ip: "1.1.1.1"), lease("10.9.2.0/24", "b", ip: "1.1.1.2", local: true),
                    lease("10.9.4.0/23", "c", ip: "1.1.1.3", kind: .reservation),
                    lease("10.9.12.0/24", nil, ip: "1.1.1.5", owner: nil), lease("10.10.0.0/24", "d", ip: "1.1.1.4"),
                ]))
        #expect(
            map.text(width: 24, colour: false) == """
                10.9.0.0      #@.RR..
                10.9.8.0     ....f..\u{20}

                10.9.0.0/20: 2 leased, 1 reserved, 12 free. Each mark is a /24.
                @ this node 1   # lease, in its node's dye 2   f lease of flannel 1   R reservation 1   . free 12

                """)
        #expect(map.text(width: 80, colour: false).hasPrefix("10.9.0.0      #@.RR......f.. \n"))
    }

    @Test func `a node has the dye that it has on the daemon's page`() throws {
        // map_tests.py asks the page's own dyeOf for the same.
        #expect(["n1", "node-42", "Zürich", ""].map(NetworkMap.dye) == [3, 6, 6, 2])
        #expect(TextStyle.dyes.count == 7)
        let map = try #require(
            NetworkMap(
                network("10.9.0.0/20", first: "10.9.1.0/24", last: "10.9.14.0/24", length: 24),
                leases: [lease("10.9.1.0/24", "n1", ip: "1.1.1.1")]))
        #expect(map.text(width: 80, colour: true).contains("\u{1B}[38;5;97m■\u{1B}[0m"))
    }

    @Test func `a network with millions of subnets is folded, and the most telling of them shown`() throws {
        let leases = [
            lease("10.0.0.16/28", "a", ip: "1.1.1.1", kind: .reservation), lease("10.0.0.32/28", "b", ip: "1.1.1.2"),
            lease("10.255.0.0/16", "c", ip: "1.1.1.3", local: true),
        ]
        let map = try #require(
            NetworkMap(
                network("10.0.0.0/8", first: "10.0.0.0/30", last: "10.255.255.252/30", length: 30), leases: leases))
        let lines = map.text(width: 80, colour: false).split(separator: "\n")
        #expect(lines.count == 64 + 2)
        #expect(lines[0].hasSuffix("#" + String(repeating: ".", count: 63)))
        #expect(lines[63].hasSuffix(String(repeating: ".", count: 48) + String(repeating: "@", count: 16)))
        #expect(lines[64].hasSuffix("Each mark is 1024 subnets of /30."))
    }

    @Test func `a watched map has the leases as they are now`() async {
        let leases = WatchedLeases()
        #expect(await leases.news() == nil)
        let (one, two) = (lease("10.9.1.0/24", "a", ip: "1.1.1.1"), lease("10.9.2.0/24", "b", ip: "1.1.1.2"))
        await leases.take(.snapshot(LeaseListDocument(revision: "1", items: [one])))
        await leases.take(.added(two, revision: "2"))
        await leases.take(.removed(one, revision: "3"))
        #expect(await leases.news()?.items == [two])
        #expect(await leases.news() == nil)
    }

    @Test func `the map takes its options`() throws {
        let map = try #require(try TartanCommand.parseAsRoot(["map", "--watch", "--no-color"]) as? MapCommand)
        #expect(map.watch && map.noColor)
    }

    @Test func `a large network is drawn on at most 64 rows`() throws {
        let map = try #require(
            NetworkMap(
                network("10.0.0.0/8", first: "10.0.1.0/24", last: "10.255.255.0/24", length: 24),
                leases: [lease("10.255.255.0/24", "a", ip: "1.1.1.1")]))
        let lines = map.text(width: 200, colour: false).split(separator: "\n")
        #expect(lines.count == 64 + 2)
        #expect(lines[63].hasSuffix("#"))
        #expect(lines[64].hasSuffix("Each mark is 16 subnets of /24."))
    }

    @Test func `leases that are at odds are told, the younger one each time`() {
        let leases = [
            lease("10.9.4.0/22", "a", ip: "1.1.1.1", mac: "02:00:00:00:00:01", created: "3"),
            lease("10.9.5.0/24", "b", ip: "1.1.1.1", mac: "02:00:00:00:00:01", created: "4"),
            lease("10.9.9.0/24", "b", ip: "1.1.1.3", created: "5"), lease("10.9.15.0/24", nil, ip: "1.1.1.4"),
        ]
        let faults = LeaseFault.among(
            leases, network: network("10.9.0.0/20", first: "10.9.1.0/24", last: "10.9.14.0/24", length: 24))
        #expect(
            faults.map { "\($0.subnet) \($0.fault)" } == [
                "10.9.15.0/24 it lies outside the range 10.9.1.0/24 to 10.9.14.0/24",
                "10.9.4.0/22 it is no /24, as the network config has them",
                "10.9.5.0/24 it has the VXLAN MAC address 02:00:00:00:00:01 of 10.9.4.0/22",
                "10.9.5.0/24 it has the public address 1.1.1.1 of 10.9.4.0/22",
                "10.9.5.0/24 it overlaps 10.9.4.0/22 of a",
                "10.9.9.0/24 it has the node name b of 10.9.5.0/24",
            ])
        #expect(LeaseFault.among([], network: nil).isEmpty)
    }

    @Test func `what a daemon has against its kernel is a fault`() {
        var dataplane = DataplaneDocument(
            device: "tartan.1", mtu: 1450, wanted: 4, present: 4, problem: nil, refusedCount: 0, refused: [], faults: []
        )
        #expect(CheckCommand.faults(of: dataplane).isEmpty)
        dataplane.present = 3
        #expect(CheckCommand.faults(of: dataplane).map(\.fault) == ["3 of 4 entries are in the kernel"])
        dataplane.refused = ["route 10.244.3.0/24: EINVAL"]
        #expect(CheckCommand.faults(of: dataplane).count == 1)
    }

    @Test func `a finding is shown, and one of severity fault is a fault`() {
        var report = CheckCommand.Report(
            revision: "1", leases: 2, faults: [],
            findings: [.init(check: "mtu", severity: "warning", what: "a", why: "b", remedy: "ip link set")])
        #expect(report.isSound)
        #expect(CheckCommand.text(of: report, colour: false).contains("mtu          warning    a: b\n"))
        report.findings[0].severity = "fault"
        #expect(!report.isSound)
        #expect(CheckCommand.text(of: report, colour: false).hasPrefix("2 leases at revision 1: 1 fault.\n"))
    }

    @Test func `repair says of each fault what is left to do`() throws {
        _ = try TartanCommand.parseAsRoot(["check", "--repair"])
        let report = CheckCommand.Report(
            revision: "1", leases: 2,
            faults: [LeaseFault(subnet: "10.9.4.0/24", node: "a", fault: "x", remedy: "do y")],
            findings: [.init(check: "mtu", severity: "note", what: "a", why: "b", remedy: "ip link set")])
        let text = CheckCommand.text(of: report, repair: true, colour: false)
        #expect(text.hasSuffix("Nothing was changed from here.\n- 10.9.4.0/24: x\n  do y\n- a\n  ip link set\n"))
        #expect(!CheckCommand.text(of: report, colour: false).contains("do y"))
    }
}
