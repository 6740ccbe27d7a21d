// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// A cluster with nodes of flannel's, made by hand in the exact form in which flannel writes them
/// (shared/facts/flannel-wire.md), and a node that moves from it.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct FlannelTests {
    private struct KeyList: Decodable {
        struct Pair: Decodable, Hashable {
            let value: String
            let lease: Int64?
            let mod_revision: Int64
        }
        let kvs: [Pair]?
    }

    /// flannel's part of a lease, and nothing that it would not read.
    private struct FlannelLease: Decodable {
        struct Data: Decodable {
            let VNI: Int
            let VtepMAC: String
        }
        let PublicIP: String
        let PublicIPv6: String?
        let BackendType: String
        let BackendData: Data
    }

    private func key(_ subnet: String) -> String {
        "/coreos.com/network/subnets/" + subnet.replacingOccurrences(of: "/", with: "-")
    }

    private func read(_ subnet: String, in cluster: LabCluster) async throws -> KeyList.Pair? {
        let text = try await cluster.etcd.control("get", "-w", "json", key(subnet))
        return try JSONDecoder().decode(KeyList.self, from: Data(text.utf8)).kvs?.first
    }

    /// Writes a lease as flannel does: a new etcd lease of 24 h and an unconditional put.
    private func write(_ subnet: String, publicIP: String, mac: String, in cluster: LabCluster) async throws {
        let grant = try await cluster.etcd.control("lease", "grant", "86400")
        let id = try #require(grant.split(separator: " ").dropFirst().first)
        let value =
            #"{"PublicIP":"\#(publicIP)","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"\#(mac)"}}"#
        try await cluster.etcd.control("put", "--lease=\(id)", key(subnet), value)
    }

    /// Also of a daemon that does not listen yet.
    private static func isReady(_ client: NodeClient) async -> Bool {
        do { return try await client.unreadiness() == nil } catch { return false }
    }

    @Test func `flannel's lease is read, programmed and left as it is, and ours has what flannel reads`() async throws {
        try await LabScene.with(try LabScene.settings(nodes: 1)) { cluster in
            let node = try #require(await cluster.description.nodes.first)
            try await write("10.244.77.0/24", publicIP: "172.20.9.9", mac: "3a:58:8f:c1:3c:7e", in: cluster)
            let written = try #require(try await read("10.244.77.0/24", in: cluster))
            #expect(
                try await LabScene.eventually {
                    try await cluster.ask(.node(1), "ip", "route", "show", "10.244.77.0/24").contains("tartan.1")
                })
            let route = try await cluster.ask(.node(1), "ip", "route", "show", "10.244.77.0/24")
            #expect(route.contains("via 10.244.77.0 dev tartan.1") && route.contains("onlink"), "\(route)")
            let neighbors = try await cluster.ask(.node(1), "ip", "neigh", "show", "dev", "tartan.1")
            #expect(neighbors.contains("10.244.77.0 lladdr 3a:58:8f:c1:3c:7e PERMANENT"), "\(neighbors)")
            let entries = try await cluster.ask(.node(1), "bridge", "fdb", "show", "dev", "tartan.1")
            #expect(entries.contains("3a:58:8f:c1:3c:7e dst 172.20.9.9"), "\(entries)")

            // Nothing that this node does touches it.
            _ = try await cluster.stopDaemon(node.name)
            try await cluster.startDaemon(node.name)
            #expect(try await LabScene.eventually { await Self.isReady(try await cluster.client(of: node.name)) })
            #expect(try await read("10.244.77.0/24", in: cluster) == written)

            let subnet = try #require(node.subnet)
            let own = try #require(try await read(subnet, in: cluster))
            let value = try #require(Data(base64Encoded: own.value))
            let lease = try JSONDecoder().decode(FlannelLease.self, from: value)
            #expect(lease.PublicIP == node.address && lease.PublicIPv6 == nil)
            #expect(lease.BackendType == "vxlan" && lease.BackendData.VNI == 1)
            let link = try await cluster.ask(.node(1), "ip", "link", "show", "tartan.1")
            #expect(link.contains(lease.BackendData.VtepMAC), "\(link)")
            #expect(own.lease ?? 0 != 0)
        }
    }

    @Test func `a node that was flannel's keeps its subnet, and is told what to do about flannel's device`()
        async throws
    {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let node = try #require(await cluster.description.nodes.first)
            let subnet = try #require(node.subnet)
            let pods = await cluster.description.pods
            // The node as flanneld leaves it: its lease, its device, its subnet file, and nothing of tartand's.
            _ = try await cluster.stopDaemon(node.name)
            let mac = "4e:11:22:33:44:55"
            try await write(subnet, publicIP: node.address, mac: mac, in: cluster)
            _ = try await cluster.ask(.node(1), "ip", "link", "delete", "tartan.1")
            _ = try await cluster.ask(
                .node(1), "ip", "link", "add", "flannel.1", "address", mac, "type", "vxlan", "id", "1", "local",
                node.address, "dev", "eth0", "dstport", "8472", "nolearning")
            let own = "\(subnet.split(separator: "/")[0])/32"
            _ = try await cluster.ask(.node(1), "ip", "address", "add", own, "dev", "flannel.1")
            _ = try await cluster.ask(.node(1), "ip", "link", "set", "flannel.1", "up")
            try FileManager.default.removeItem(atPath: node.stateDir)
            let other = try #require(await cluster.description.nodes.last)
            let peer = try #require(other.subnet)
            let gateway = try #require(peer.split(separator: "/").first.map(String.init))
            _ = try await cluster.ask(
                .node(1), "ip", "route", "add", peer, "via", gateway, "dev", "flannel.1", "onlink")

            try await cluster.startDaemon(node.name)
            let client = try await cluster.client(of: node.name)
            // The lease is taken over, the same subnet, before the device is in order.
            #expect(try await LabScene.eventually { (try? await client.node())?.lease?.owner == "tartan" })
            #expect(try await client.node().lease?.subnet == subnet)
            #expect(try await client.node().ready == false)
            #expect(
                try await LabScene.eventually {
                    try await client.dataplane().findings.contains { $0.check == "vxlan-device" }
                })
            let finding = try #require(try await client.dataplane().findings.first { $0.check == "vxlan-device" })
            #expect(finding.severity == "fault" && finding.what.contains("flannel.1"), "\(finding)")
            #expect(finding.remedy == "ip link delete flannel.1")

            _ = try await cluster.ask(.node(1), "ip", "link", "delete", "flannel.1")
            #expect(try await LabScene.eventually { await Self.isReady(client) })
            #expect(try await LabScene.eventually { try await cluster.pings("pod1", pods[1].address) })
            #expect(try await cluster.pings("pod2", pods[0].address))
            let file = try String(contentsOfFile: node.subnetFile, encoding: .utf8)
            #expect(file.contains("FLANNEL_SUBNET=\(try #require(node.gateway))/24"), "\(file)")
        }
    }
}
