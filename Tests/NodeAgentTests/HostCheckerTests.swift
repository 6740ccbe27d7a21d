// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging
import NodeAgent
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@Suite struct HostCheckerTests {
    private let host = FakeHost()
    private let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())

    private func run(
        resync: Duration = .seconds(300), impatience: Duration = .seconds(300),
        _ body: (HostChecker<FakeHost>) async throws -> Void
    ) async throws {
        let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let checker = HostChecker(
            inspector: host, status: status,
            underlay: Underlay(name: "eth0", index: 2, mtu: 1500, address: IPv4Address(192, 168, 0, 1)), device: nil,
            resync: resync, logger: silent, impatience: impatience)
        let group = ServiceGroup(services: [checker], logger: silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body(checker) } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func eventually(_ condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) async {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("it did not come to pass", sourceLocation: location)
                return
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private func configure() throws {
        let config = try LeaseFixtures.config()
        status.update { $0.config = .valid(config) }
    }

    @Test func `nothing is looked at before the network is known`() async throws {
        try await run { checker in
            checker.check()
            #expect(host.read { $0.looks } == 0)
            try configure()
            checker.check()
            await eventually { host.read { $0.looks > 0 } }
        }
        #expect(status.read { $0.findings } == [])
    }

    @Test func `a host that does not forward is made to`() async throws {
        try configure()
        host.change { $0.facts.forwardsIPv4 = false }
        try await run { _ in await eventually { host.read { $0.enablings == ["eth0"] && $0.looks == 2 } } }
        #expect(host.read { $0.facts.forwardsIPv4 } == true)
        #expect(status.read { $0.findings } == [])
    }

    @Test func `one that can't be made to is reported`() async throws {
        try configure()
        host.change { host in
            host.facts.forwardsIPv4 = false
            host.mayChange = false
        }
        try await run { _ in await eventually { status.read { $0.findings.map(\.check) == [.forwarding] } } }
    }

    @Test func `findings come and go with what is found`() async throws {
        try configure()
        let program = HostFacts.Link(name: "flannel.1", vxlan: .init(vni: 1, port: 8472))
        host.change { $0.facts.links = [program] }
        try await run(resync: .milliseconds(5)) { _ in
            await eventually { status.read { $0.findings.map(\.check) == [.vxlanDevice] } }
            // A look that fails leaves what is known.
            host.change { $0.isBlind = true }
            let looks = host.read { $0.looks }
            await eventually { host.read { $0.looks > looks + 1 } }
            #expect(status.read { $0.findings.map(\.check) } == [.vxlanDevice])
            host.change { host in
                host.isBlind = false
                host.facts.links = []
            }
            await eventually { status.read { $0.findings.isEmpty } }
        }
    }

    @Test func `while the dataplane can't be set up nobody need ask for a look`() async throws {
        // What keeps it from that also keeps the subnet file, whose writing asks for one, from being written.
        try await run(impatience: .milliseconds(5)) { _ in
            try configure()
            let other = HostFacts.Link(name: "flannel.1", vxlan: .init(vni: 1, port: 8472))
            host.change { $0.facts.links = [other] }
            await eventually { status.read { $0.findings.map(\.check) == [.vxlanDevice] } }
        }
    }

    @Test func `our own device is known by its name`() async throws {
        try configure()
        let own = HostFacts.Link(name: "tartan.1", vxlan: .init(vni: 1, port: 8472))
        host.change { $0.facts.links = [own] }
        try await run { _ in await eventually { host.read { $0.looks > 0 } } }
        #expect(status.read { $0.findings } == [])
    }
}

private final class FakeHost: HostInspector {
    struct Content: Sendable {
        var facts = HostFacts()
        var looks = 0
        var enablings: [String] = []
        var mayChange = true
        var isBlind = false
    }

    private let content = Mutex(Content())

    func read<Value: Sendable>(_ body: (Content) -> Value) -> Value { content.withLock { body($0) } }
    func change(_ body: (inout Content) -> Void) { content.withLock { body(&$0) } }

    func facts() async throws(DataplaneError) -> HostFacts {
        let (isBlind, facts) = content.withLock { content in
            content.looks += 1
            return (content.isBlind, content.facts)
        }
        if isBlind { throw DataplaneError(remedy: .retry, description: "blind") }
        return facts
    }

    func enableForwarding(ipv6: Bool, underlay: String) async throws(DataplaneError) {
        guard read({ $0.mayChange }) else { throw DataplaneError(remedy: .notPermitted, description: "no") }
        change { content in
            content.enablings.append(underlay)
            content.facts.forwardsIPv4 = true
        }
    }
}
