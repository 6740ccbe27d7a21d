// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// Two daemons and a real etcd, from the lease to the ping.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct TwoNodeTests {
    /// `etcdctl get` of one lease, as its JSON form says.
    private struct KeyList: Decodable {
        struct Pair: Decodable {
            let value: String
            let lease: Int64?
        }
        let kvs: [Pair]?
    }

    private struct LeaseValue: Decodable {
        struct Data: Decodable {
            let VNI: Int
            let VtepMAC: String
        }
        let PublicIP: String
        let BackendType: String
        let BackendData: Data
        let NodeName: String
        let Owner: String
    }

    private func key(_ subnet: String) -> String {
        "/coreos.com/network/subnets/" + subnet.replacingOccurrences(of: "/", with: "-")
    }

    private func read(_ subnet: String, in cluster: LabCluster) async throws -> (value: LeaseValue, grant: Int64)? {
        let text = try await cluster.etcd.control("get", "-w", "json", key(subnet))
        let list = try JSONDecoder().decode(KeyList.self, from: Data(text.utf8))
        guard let pair = list.kvs?.first, let value = Data(base64Encoded: pair.value) else { return nil }
        return (try JSONDecoder().decode(LeaseValue.self, from: value), pair.lease ?? 0)
    }

    @Test func `each node has its lease in etcd and the other's entries in its kernel`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let nodes = await cluster.description.nodes
            var macs: [String] = []
            for node in nodes {
                let subnet = try #require(node.subnet)
                let lease = try #require(try await read(subnet, in: cluster))
                #expect(lease.value.NodeName == node.name)
                #expect(lease.value.Owner == "tartan")
                #expect(lease.value.PublicIP == node.address)
                #expect(lease.value.BackendType == "vxlan")
                #expect(lease.value.BackendData.VNI == 1)
                #expect(lease.grant != 0)
                macs.append(lease.value.BackendData.VtepMAC)
            }
            for (number, other) in [(1, 1), (2, 0)] {
                let peer = nodes[other]
                let gateway = try #require(peer.subnet?.split(separator: "/").first)
                let route = try await cluster.ask(.node(number), "ip", "route", "show", try #require(peer.subnet))
                #expect(route.contains("via \(gateway) dev tartan.1"), "\(route)")
                #expect(route.contains("proto 116") && route.contains("onlink"), "\(route)")
                let neighbors = try await cluster.ask(.node(number), "ip", "neigh", "show", "dev", "tartan.1")
                #expect(neighbors.contains("\(gateway) lladdr \(macs[other]) PERMANENT"), "\(neighbors)")
                let entries = try await cluster.ask(.node(number), "bridge", "fdb", "show", "dev", "tartan.1")
                #expect(entries.contains("\(macs[other]) dst \(peer.address)"), "\(entries)")
                let own = try await cluster.ask(.node(number), "ip", "-d", "link", "show", "tartan.1")
                #expect(own.contains(macs[number - 1]) && own.contains("dstport 8472"), "\(own)")
            }
        }
    }

    @Test func `a node that is to leave takes its entries along, also where etcd does not answer`() async throws {
        var settings = try LabScene.settings()
        settings.daemonOptions = ["--on-shutdown", "release"]
        try await LabScene.with(settings) { cluster in
            let present = try await cluster.ask(.node(1), "ip", "nexthop", "show", "proto", "116")
            #expect(present.contains("tartan.1"))
            cluster.etcd.halt()
            let start = ContinuousClock.now
            let status = try await cluster.stopDaemon("node1")
            cluster.etcd.resume()
            #expect(status == 0)
            #expect(.now - start < .seconds(2.5))
            for kind in ["route", "nexthop"] {
                let left = try await cluster.ask(.node(1), "ip", kind, "show", "proto", "116")
                #expect(left.isEmpty, "\(left)")
            }
            // Whether or not etcd has heard of it, no pod is to get an address there.
            let file = try await #require(cluster.description.nodes.first).subnetFile
            #expect(try String(contentsOfFile: file, encoding: .utf8).hasSuffix("TARTAN_LEASE=lost\n"))
        }
    }

    @Test func `pods of two nodes reach each other, and UDP 8472 carries it on the underlay`() async throws {
        try await LabScene.with(try LabScene.settings(pods: 2)) { cluster in
            let lab = await cluster.description
            #expect(lab.pods.map(\.node) == ["node1", "node1", "node2", "node2"])
            let log = "\(lab.folder)/tcpdump.log"
            let dump = try await ChildProcess.start(
                try cluster.launcher(into: "switch") + ["tcpdump", "-l", "-n", "-i", "node1", "udp", "port", "8472"],
                log: log)
            func dumped() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            #expect(try await LabScene.eventually { dumped().contains("listening on") }, "\(dumped())")
            let summary = try await cluster.exec("pod1", "ping", "-c", "3", "-i", "0.1", lab.pods[3].address)
            #expect(summary.output.contains("3 packets transmitted, 3 received, 0% packet loss"), "\(summary.output)")
            let there = "\(lab.nodes[0].address)."
            let isSeen = try await LabScene.eventually {
                let text = dumped()
                return text.contains("> \(lab.nodes[1].address).8472") && text.contains("IP \(there)")
                    && text.contains("\(lab.pods[0].address) > \(lab.pods[3].address): ICMP echo request")
            }
            #expect(isSeen, "\(dumped())")
            await dump.stop()
            for (from, to) in [("pod2", lab.pods[2]), ("pod3", lab.pods[0]), ("pod1", lab.pods[1])] {
                #expect(try await cluster.pings(from, to.address), "\(from) to \(to.name)")
            }
        }
    }

    @Test func `when a node's lease ends the other forgets all about it`() async throws {
        try await LabScene.with(try LabScene.settings(pods: 0)) { cluster in
            let peer = await cluster.description.nodes[1]
            let subnet = try #require(peer.subnet)
            try await cluster.killDaemon("node2")
            let lease = try #require(try await read(subnet, in: cluster))
            try await cluster.etcd.control("lease", "revoke", String(lease.grant, radix: 16))
            let isForgotten = try await LabScene.eventually {
                let routes = try await cluster.ask(.node(1), "ip", "route", "show", "proto", "116")
                let nextHops = try await cluster.ask(.node(1), "ip", "nexthop", "show", "proto", "116")
                let neighbors = try await cluster.ask(
                    .node(1), "ip", "neigh", "show", "dev", "tartan.1", "nud", "permanent")
                let entries = try await cluster.ask(.node(1), "bridge", "fdb", "show", "dev", "tartan.1")
                return (routes + nextHops + neighbors).isEmpty && !entries.contains(peer.address)
            }
            #expect(isForgotten)
            #expect(try await cluster.client(of: "node1").leases().items.count == 1)
        }
    }

    @Test func `a daemon whose lease is revoked under it has one again`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let subnet = try #require(await cluster.description.nodes[1].subnet)
            let lease = try #require(try await read(subnet, in: cluster))
            try await cluster.etcd.control("lease", "revoke", String(lease.grant, radix: 16))
            let isBack = try await LabScene.eventually {
                let now = try await read(subnet, in: cluster)
                return now.map { $0.grant != lease.grant && $0.value.NodeName == "node2" } ?? false
            }
            #expect(isBack)
            let pod = await cluster.description.pods[1]
            #expect(try await LabScene.eventually { try await cluster.pings("pod1", pod.address) })
        }
    }

    @Test func `a daemon that is started again keeps subnet and MAC address, and no packet is lost`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let lab = await cluster.description
            let before = try await cluster.ask(.node(1), "ip", "-br", "link", "show", "tartan.1")
            let log = "\(lab.folder)/ping.log"
            let ping = try await ChildProcess.start(
                try cluster.launcher(into: "pod2") + ["ping", "-i", "0.02", lab.pods[0].address], log: log)
            func pinged() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            #expect(try await LabScene.eventually { pinged().contains("icmp_seq=5 ") })
            #expect(try await cluster.stopDaemon("node1") == 0)
            try FileManager.default.removeItem(atPath: lab.nodes[0].subnetFile)
            try await cluster.startDaemon("node1")
            let isReady = try await LabScene.eventually {
                let node = try? await cluster.client(of: "node1").node()
                return node?.ready == true && FileManager.default.fileExists(atPath: lab.nodes[0].subnetFile)
            }
            #expect(isReady)
            let seen = pinged().split(separator: "\n").count
            #expect(try await LabScene.eventually { pinged().split(separator: "\n").count > seen + 10 })
            ping.signal(SIGINT)
            await ping.ended()
            #expect(pinged().contains(" 0% packet loss"), "\(pinged().suffix(300))")
            let file = try String(contentsOfFile: lab.nodes[0].subnetFile, encoding: .utf8)
            let gateway = try #require(lab.nodes[0].gateway)
            #expect(file.contains("FLANNEL_SUBNET=\(gateway)/24\n"))
            #expect(try await cluster.ask(.node(1), "ip", "-br", "link", "show", "tartan.1") == before)
        }
    }

    @Test func `after a reboot a node has its subnet and MAC address again, and its pods their way`() async throws {
        try await LabScene.with(try LabScene.settings(pods: 1)) { cluster in
            let lab = await cluster.description
            let node = lab.nodes[0]
            func address() async throws -> String {
                let link = try await cluster.ask(.node(1), "ip", "-br", "link", "show", "tartan.1")
                return String(link.split(whereSeparator: \.isWhitespace).dropFirst(2).first ?? "")
            }
            let mac = try await address()
            // What a reboot leaves is the disk: not the kernel's tables, not /run.
            try await cluster.killDaemon(node.name)
            _ = try await cluster.ask(.node(1), "ip", "link", "delete", "tartan.1")
            try FileManager.default.removeItem(atPath: node.subnetFile)
            try await cluster.startDaemon(node.name)
            #expect(try await LabScene.eventually { FileManager.default.fileExists(atPath: node.subnetFile) })
            let text = try String(contentsOfFile: node.subnetFile, encoding: .utf8)
            let gateway = try #require(node.gateway)
            #expect(text.contains("FLANNEL_SUBNET=\(gateway)/24"), "\(text)")
            #expect(try await address() == mac)
            let ping = try await cluster.exec("pod1", "ping", "-c", "1", "-W", "5", lab.pods[1].address)
            #expect(ping.status == 0, "\(ping.output)")
        }
    }

    @Test func `a node that joins later is reached from the others`() async throws {
        try await LabScene.with(try LabScene.settings(nodes: 1)) { cluster in
            let node = try await cluster.addNode()
            #expect(node.name == "node2")
            let pods = await cluster.description.pods
            #expect(try await cluster.pings("pod1", pods[1].address))
            #expect(try await cluster.pings("pod2", pods[0].address))
        }
    }

    @Test func `a cable that is pulled and put back is only a pause`() async throws {
        try await LabScene.with(try LabScene.settings()) { cluster in
            let pod = await cluster.description.pods[1]
            try await cluster.setConnected("node2", false)
            #expect(try await !cluster.pings("pod1", pod.address))
            try await cluster.setConnected("node2", true)
            #expect(try await LabScene.eventually { try await cluster.pings("pod1", pod.address) })
        }
    }
}
