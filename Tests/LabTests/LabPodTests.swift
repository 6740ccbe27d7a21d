// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// The lab's pods, made by the CNI plugin.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct LabPodTests {
    @Test func `pods are made by tartan-cni from the file that the daemon wrote, on cni0, from 2 on`() async throws {
        try await LabScene.with(try LabScene.settings(nodes: 2, pods: 2)) { cluster in
            let lab = await cluster.description
            #expect(lab.pods.map(\.name) == ["pod1", "pod2", "pod3", "pod4"])
            for (number, node) in lab.nodes.enumerated() {
                let gateway = try #require(node.gateway)
                let network = gateway.split(separator: ".").dropLast().joined(separator: ".")
                let pods = lab.pods.filter { $0.node == node.name }
                #expect(pods.map(\.address) == ["\(network).2", "\(network).3"])
                let folder = URL(filePath: node.conflist).deletingLastPathComponent().path
                for pod in pods {
                    let owner = try String(contentsOfFile: "\(folder)/networks/cbr0/\(pod.address)", encoding: .utf8)
                    #expect(owner == "\(pod.namespace)\r\neth0")
                }
                let place = LabPlace.node(number + 1)
                let bridge = try await cluster.ask(place, "ip", "-o", "-4", "addr", "show", "cni0")
                #expect(bridge.contains(" \(gateway)/24 "), "\(bridge)")
                let ports = try await cluster.ask(place, "ip", "-o", "link", "show", "master", "cni0")
                #expect(ports.split(separator: "\n").count == 2, "\(ports)")
                let answer = try await cluster.client(of: node.name).node()
                #expect(answer.ready && answer.problems.isEmpty, "\(answer.problems)")
            }
            #expect(try await cluster.pings("pod1", lab.pods[3].address))
            let route = try await cluster.ask(.pod(1), "ip", "route")
            #expect(route.contains("default via \(try #require(lab.nodes[0].gateway)) dev eth0"), "\(route)")
        }
    }

    @Test func `every pod's ADD is followed by a DEL when the lab goes down`() async throws {
        let folder = try TemporaryDirectory("lab-pods")
        defer { folder.remove() }
        var settings = try LabScene.settings(nodes: 1, pods: 2)
        let plugin = try #require(settings.tools.plugin)
        let script = """
            #!/bin/sh
            echo "$CNI_COMMAND $CNI_CONTAINERID" >>'\(folder.path)/calls'
            exec '\(plugin)'

            """
        settings.tools.plugin = "\(folder.path)/tartan-cni"
        try script.write(toFile: "\(folder.path)/tartan-cni", atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(folder.path)/tartan-cni")
        var pods: [String] = []
        try await LabScene.with(settings) { cluster in pods = await cluster.description.pods.map(\.namespace) }
        let calls = try String(contentsOfFile: "\(folder.path)/calls", encoding: .utf8).split(separator: "\n")
            .map(String.init)
        #expect(pods.count == 2)
        #expect(Array(calls.prefix(2)) == pods.map { "ADD \($0)" })
        #expect(calls.dropFirst(2).sorted() == pods.map { "DEL \($0)" }.sorted())
    }

    @Test func `a lab with pods and without the plugin is refused before anything is made, and says what to build`()
        async throws
    {
        var settings = try LabScene.settings(nodes: 1, pods: 1)
        settings.tools.plugin = nil
        let fault = await #expect(throws: LabFault.self) { try await LabCluster.up(settings) }
        #expect(fault?.kind == .missing)
        #expect(fault?.description.contains("--product tartan-cni") == true, "\(String(describing: fault))")
        #expect(try await Leftovers.of(settings.name) == [])
    }
}
