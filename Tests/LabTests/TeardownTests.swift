// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import NodeClient
import Testing

/// That a lab leaves nothing, however it ended.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct TeardownTests {
    @Test func `nothing is left after a lab, and this machine's links are as before`() async throws {
        let before = try await Leftovers.links()
        let settings = try LabScene.settings()
        let cluster = try await LabCluster.up(settings)
        #expect(try await Leftovers.links() == before)
        #expect(try await Leftovers.of(settings.name).count >= 6)
        await cluster.down()
        #expect(try await Leftovers.of(settings.name) == [])
        #expect(try await Leftovers.links() == before)
        await cluster.down()
    }

    @Test func `a failure in the middle takes down what was made, and says why`() async throws {
        var settings = try LabScene.settings()
        settings.daemonOptions = ["--vni-that-is-no-option"]
        let error = await #expect(throws: LabFault.self) { try await LabCluster.up(settings) }
        #expect(error?.description.contains("node1") == true, "\(String(describing: error))")
        #expect(error?.description.contains("vni-that-is-no-option") == true, "\(String(describing: error))")
        #expect(error?.kind == .usage)
        #expect(error?.description.contains("tartand: ") == false, "\(String(describing: error))")
        #expect(try await Leftovers.of(settings.name) == [])
    }

    @Test func `a network that can't be is refused before any daemon starts`() async throws {
        let settings = try LabScene.settings(network: "10.244.0.0/30")
        let error = await #expect(throws: LabFault.self) { try await LabCluster.up(settings) }
        #expect(error?.kind == .configuration)
        #expect(try await Leftovers.of(settings.name) == [])
    }

    @Test func `a lab whose making is cancelled is taken down`() async throws {
        let settings = try LabScene.settings()
        let (steps, step) = AsyncStream<String>.makeStream()
        let making = Task { try await LabCluster.up(settings, progress: { step.yield($0) }) }
        for await text in steps where text.hasPrefix("starting") { break }
        making.cancel()
        await #expect(throws: (any Error).self) { try await making.value }
        // What was being started when its namespace went ends by itself as soon as it finds no such namespace.
        var left: [String] = []
        let isEmpty = try await LabScene.eventually {
            left = try await Leftovers.of(settings.name)
            return left.isEmpty
        }
        #expect(isEmpty, "\(left)")
    }

    @Test func `a second lab of one name is refused, and the first lives on`() async throws {
        let settings = try LabScene.settings(nodes: 1, pods: 0)
        try await LabScene.with(settings) { cluster in
            let error = await #expect(throws: LabFault.self) { try await LabCluster.up(settings) }
            #expect(error?.kind == .conflict)
            #expect(error?.description.contains("node1") == true)
            let node = try await cluster.client(of: "node1").node()
            #expect(node.name == "node1")
        }
    }

    @Test func `what runs in a lab's places ends with it`() async throws {
        let settings = try LabScene.settings(nodes: 1)
        let cluster = try await LabCluster.up(settings)
        let directory = try TemporaryDirectory("lab-test")
        defer { directory.remove() }
        let sleep = try await ChildProcess.start(
            try cluster.launcher(into: "pod1") + ["sleep", "1000"], log: "\(directory.path)/log")
        // Until then it is still the program that enters the namespace.
        let isThere = try await LabScene.eventually {
            (try? String(contentsOfFile: "/proc/\(sleep.processID)/comm", encoding: .utf8)) == "sleep\n"
        }
        #expect(isThere)
        await cluster.down()
        #expect(await sleep.ended() == 128 + SIGKILL)
    }
}
