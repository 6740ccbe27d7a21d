// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// IPv6 from the lease to the ping: beside IPv4, and alone.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct DualStackTests {
    @Test func `pods of two nodes reach each other by both families, each through a tunnel of its own kind`()
        async throws
    {
        var settings = try LabScene.settings()
        settings.families = .dual
        settings.daemonOptions = ["--ip-masq"]
        try await LabScene.with(settings) { cluster in
            let (nodes, pods) = await (cluster.description.nodes, cluster.description.pods)
            let target = try #require(pods.last)
            let ipv6 = try #require(target.ipv6Address)
            #expect(try await cluster.pings("pod1", target.address))
            let first = try await cluster.exec("pod1", "ping", "-c1", "-W2", ipv6)
            #expect(first.status == 0, "\(first.output)")
            let times = first.output.split(separator: "time=").dropFirst().first.flatMap {
                Double($0.prefix { $0 != " " })
            }
            #expect(try #require(times) < 500, "no neighbour waits for the end of duplicate address detection")
            // As long as a pod's packet may be.
            let full = try await cluster.exec("pod1", "ping", "-c1", "-W2", "-M", "do", "-s", "1382", ipv6)
            #expect(full.status == 0, "\(full.output) \(full.complaint)")
            #expect(nodes.allSatisfy { $0.mtu == 1430 })
            // The packets crossed by UDP 8472 over IPv6: the peer's forwarding entry is the only way.
            let entries = try await cluster.ask(.node(1), "bridge", "fdb", "show", "dev", "tartan-v6.1")
            #expect(entries.contains("dst \(try #require(nodes[1].ipv6Address))"), "\(entries)")
            let sent = try await cluster.ask(.node(1), "cat", "/proc/net/snmp6")
            #expect(sent.contains("Udp6"), "\(sent)")
            let route = try await cluster.ask(.node(1), "ip", "-6", "route", "get", ipv6)
            #expect(route.contains("dev tartan-v6.1"), "\(route)")
            // Masqueraded is what leaves the cluster, of each family.
            let rules = try await cluster.ask(.node(1), "nft", "list", "table", "inet", "tartan")
            #expect(rules.contains("ip6 saddr fd00:10:244::/48") && rules.contains("ip saddr 10.244.0.0/16"))
            // The lease is in flannel's dual-stack form, and its node knows the way to the other's addresses.
            let keys = try await cluster.etcd.control(
                "get", "--prefix", "--keys-only", "/coreos.com/network/subnets/")
            #expect(keys.split(separator: "\n").allSatisfy { $0.isEmpty || $0.contains("&fd00:10:244:") }, "\(keys)")
            let lookup = try await cluster.client(of: "node1").lookup(ipv6)
            #expect(lookup.path?.device == "tartan-v6.1" && lookup.path?.underlay == nodes[1].ipv6Address)
            #expect(lookup.problem == nil && lookup.lease?.node == "node2")
            let dataplane = try await cluster.client(of: "node1").dataplane()
            #expect(dataplane.ipv6Device == "tartan-v6.1" && dataplane.wanted == 8 && dataplane.present == 8)
            #expect(dataplane.peers.first?.entries.count == 8 && dataplane.faults.isEmpty)
            #expect(dataplane.findings.allSatisfy { $0.severity != "fault" }, "\(dataplane.findings)")
            // Deleted by others, it is put back and the ping goes on.
            _ = try await cluster.ask(.node(1), "ip", "-6", "route", "del", try #require(nodes[1].ipv6Subnet))
            #expect(try await LabScene.eventually { try await cluster.pings("pod1", ipv6) })
        }
    }

    @Test func `a cluster of IPv6 alone works without an IPv4 address anywhere, also after a restart`() async throws {
        var settings = try LabScene.settings()
        settings.families = .ipv6
        try await LabScene.with(settings) { cluster in
            let (nodes, pods) = await (cluster.description.nodes, cluster.description.pods)
            let target = try #require(pods.last)
            #expect(target.address.contains(":") && target.address == target.ipv6Address)
            #expect(try await cluster.pings("pod1", target.address))
            #expect(try await cluster.ask(.node(1), "ip", "-4", "-o", "addr", "show", "scope", "global") == "")
            let env = try String(contentsOfFile: nodes[0].subnetFile, encoding: .utf8)
            #expect(!env.contains("FLANNEL_SUBNET") && env.contains("FLANNEL_IPV6_SUBNET="), "\(env)")
            let keys = try await cluster.etcd.control(
                "get", "--prefix", "--keys-only", "/coreos.com/network/subnets/")
            #expect(keys.contains("/coreos.com/network/subnets/0.0.0.0-0&fd00:10:244:"), "\(keys)")
            try await cluster.killDaemon("node1")
            try await cluster.startDaemon("node1")
            #expect(
                try await LabScene.eventually {
                    (try? await cluster.client(of: "node1").node().ready) ?? false
                })
            #expect(try await cluster.client(of: "node1").node().lease?.subnet == nodes[0].subnet, "the same subnet")
            #expect(try await cluster.pings("pod1", target.address))
        }
    }
}
