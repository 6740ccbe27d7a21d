// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import Foundation
import JSONText
import Synchronization
import Testing

/// Many at once, and some of them killed.
@Suite(.enabled(if: Means.areThere, Means.reason)) struct StormTests {
    /// What the workers found.
    private final class Ledger: Sendable {
        struct State {
            var holders: [String: String] = [:]
            var complaints: [String] = []
            var living: [(container: String, pod: PodHost.Pod)] = []
            var killed = 0
        }
        let state = Mutex(State())

        /// A pod says that it has an address, from now until it says that it has not.
        func take(_ address: String, _ container: String) {
            state.withLock { state in
                if let other = state.holders[address] {
                    state.complaints.append("\(address) is \(other)'s and \(container)'s")
                }
                state.holders[address] = container
            }
        }

        func giveBack(_ address: String, _ container: String) {
            state.withLock { state in
                if state.holders[address] == container { state.holders[address] = nil }
            }
        }

        func complain(_ text: String) { state.withLock { $0.complaints.append(text) } }
    }

    @Test func `of 200 pods from 16 processes, every tenth killed, no address is given twice and none leaks`() throws {
        let scene = try Scene()
        let ledger = Ledger()
        let next = Atomic<Int>(0)
        let group = DispatchGroup()
        let pods = try (0..<200).map { _ in try scene.host.makePod() }
        for _ in 0..<16 {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                while true {
                    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard number < pods.count else { return }
                    do {
                        try Self.visit(number, pods[number], scene, ledger)
                    } catch {
                        ledger.complain("\(number): \(error)")
                    }
                }
            }
        }
        group.wait()
        let (complaints, living, killed) = ledger.state.withLock { ($0.complaints, $0.living, $0.killed) }
        #expect(complaints == [])
        #expect(killed >= 10, "too few were killed in the middle to mean anything")

        // What is left of the killed goes with GC; the others stay.
        let list = living.map { pod in
            JSONValue.object([.init("containerID", .string(pod.container)), .init("ifname", .string("eth0"))])
        }
        let configuration = scene.host.configuration([.init("cni.dev/valid-attachments", .array(list))])
        let outcome = try scene.run("GC", "", nil, configuration, interface: "")
        #expect(outcome.status == 0, "\(outcome.message)")
        #expect(scene.reserved.count == living.count)
        #expect(try scene.podLinks().count == living.count)
        let holders = ledger.state.withLock { $0.holders }
        for (container, pod) in living {
            let seen = try scene.look("ip -o -4 addr show eth0", in: pod.name)
            let address = try #require(holders.first { $0.value == container }?.key)
            #expect(seen.contains(" \(address)/"))
            #expect(File.read("\(scene.host.addressFolder())/\(address)") == "\(container)\r\neth0")
            #expect(try scene.run("DEL", container, pod).status == 0)
        }
        #expect(scene.reserved.isEmpty)
        #expect(try scene.podLinks().isEmpty)
    }

    /// A pod comes; every third stays, the others go again. Every tenth ADD or DEL is killed on its way.
    private static func visit(_ number: Int, _ pod: PodHost.Pod, _ scene: Scene, _ ledger: Ledger) throws {
        let container = "c\(number)"
        let adding = try scene.host.start(
            PluginFiles.ours, "ADD", container, pod, scene.host.configuration())
        if number % 10 == 3 {
            usleep(UInt32.random(in: 200...20_000))
            adding.kill()
        }
        let added = adding.wait()
        guard let address = added.json?.address(), added.status == 0 else {
            if added.status == 128 + 9 {
                ledger.state.withLock { $0.killed += 1 }
            } else {
                ledger.complain("ADD \(container): \(added.message) \(added.status)")
            }
            return
        }
        // Killed or not, who has said its result has the address.
        ledger.take(address, container)
        if number % 3 == 0, number % 10 != 3 {
            return ledger.state.withLock { $0.living.append((container, pod)) }
        }
        // From here on the address may be somebody else's at any moment.
        ledger.giveBack(address, container)
        let deleting = try scene.host.start(PluginFiles.ours, "DEL", container, pod, scene.host.configuration())
        if number % 10 == 7 {
            usleep(UInt32.random(in: 200...10_000))
            deleting.kill()
        }
        let deleted = deleting.wait()
        if deleted.status == 128 + 9 { return ledger.state.withLock { $0.killed += 1 } }
        if deleted.status != 0 { ledger.complain("DEL \(container): \(deleted.message) \(deleted.status)") }
    }

    @Test func `sixteen pods at once make one bridge`() throws {
        let scene = try Scene()
        let ledger = Ledger()
        let group = DispatchGroup()
        for (number, pod) in try (0..<16).map({ ($0, try scene.host.makePod()) }) {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                do {
                    let result = try scene.add("c\(number)", pod)
                    ledger.take(result.address() ?? "", "c\(number)")
                } catch {
                    ledger.complain("\(error)")
                }
            }
        }
        group.wait()
        #expect(ledger.state.withLock { $0.complaints } == [])
        #expect(ledger.state.withLock { $0.holders.count } == 16)
        #expect(try scene.look("ip -o link show type bridge | wc -l") == "1\n")
    }
}
