// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// What the pods' plugin reads when a subnet is another node's, and after.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(3)))
struct LostLeaseTests {
    private func file(_ cluster: LabCluster) async throws -> String {
        try String(contentsOfFile: try #require(await cluster.description.nodes.first).subnetFile, encoding: .utf8)
    }

    /// Somebody writes another node's name into the key of node1.
    private func rob(_ cluster: LabCluster) async throws -> String {
        let subnet = try #require(await cluster.description.nodes.first?.subnet)
        let value =
            #"{"PublicIP":"172.20.0.99","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:99"},"#
            + #""NodeName":"guest","Owner":"tartan"}"#
        let key = "/coreos.com/network/subnets/" + subnet.replacingOccurrences(of: "/", with: "-")
        try await cluster.etcd.control("put", key, value)
        return subnet
    }

    @Test func `the word of a lost lease is gone with the new one`() async throws {
        var settings = try LabScene.settings(nodes: 1, pods: 0)
        // One subnet and no other: the loss stays to be seen until there is more.
        settings.daemonOptions = ["--lease-ttl", "60s"]
        try await LabScene.with(settings) { cluster in
            let config =
                #"{"Network":"10.244.0.0/16","SubnetMin":"SUBNET","SubnetMax":"SUBNET","Backend":{"Type":"vxlan"}}"#
            let subnet = try #require(await cluster.description.nodes.first?.subnet)
            let address = try #require(subnet.split(separator: "/").first)
            try await cluster.etcd.control(
                "put", "/coreos.com/network/config", config.replacingOccurrences(of: "SUBNET", with: address))
            #expect(try await !file(cluster).contains("TARTAN_LEASE"))
            _ = try await rob(cluster)
            #expect(try await LabScene.eventually { try await file(cluster).contains("TARTAN_LEASE=lost\n") })
            #expect(try await file(cluster).contains("FLANNEL_SUBNET="))
            #expect(try await !cluster.client(of: "node1").node().ready)
            try await cluster.etcd.control("put", "/coreos.com/network/config", #"{"Network":"10.244.0.0/16"}"#)
            #expect(try await LabScene.eventually { try await !file(cluster).contains("TARTAN_LEASE") })
            #expect(try await !file(cluster).contains(address))
            #expect(try await LabScene.eventually { try await cluster.client(of: "node1").node().ready })
        }
    }

    @Test func `a program that ends for it has written it before, and says 75`() async throws {
        var settings = try LabScene.settings(nodes: 1, pods: 0)
        settings.daemonOptions = ["--on-lease-lost", "stop"]
        try await LabScene.with(settings) { cluster in
            _ = try await rob(cluster)
            #expect(try await cluster.daemonEnded("node1") == 75)
            #expect(try await file(cluster).hasSuffix("TARTAN_LEASE=lost\n"))
        }
    }

    @Test func `a fenced lease is not lost`() async throws {
        var settings = try LabScene.settings(nodes: 1, pods: 0, leaseTTL: "3s")
        settings.daemonOptions = []
        try await LabScene.with(settings) { cluster in
            let before = try await file(cluster)
            cluster.etcd.halt()
            defer { cluster.etcd.resume() }
            let isFenced = try await LabScene.eventually {
                try await cluster.client(of: "node1").node().phase == .fenced
            }
            #expect(isFenced)
            #expect(try await file(cluster) == before)
        }
    }
}
