// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging
import NodeAgent
import ServiceLifecycle
import Testing

@Suite struct MasqueraderTests {
    private static let masquerade = Masquerade(
        SubnetFile(
            network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16)!,
            subnet: IPv4Prefix(IPv4Address(10, 244, 1, 0), length: 24)!, mtu: 1450, masquerade: true))
    private static let moved = Masquerade(
        ipv4: .init(
            network: masquerade.ipv4!.network, subnet: IPv4Prefix(IPv4Address(10, 244, 2, 0), length: 24)!))
    private static let refusal = DataplaneError(remedy: .retry, description: "no")

    private let firewall = FakeFirewall()
    private let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())

    /// Runs a masquerader while the body runs, then stops it as the daemon does.
    private func run(
        resync: Duration = .seconds(300), withdraws: Bool = false,
        _ body: (Masquerader<FakeFirewall>) async throws -> Void
    ) async throws {
        let masquerader = Masquerader(
            driver: firewall, status: status, resync: resync, withdrawsOnShutdown: withdraws, logger: silent)
        let group = ServiceGroup(services: [masquerader], logger: silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body(masquerader) } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

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

    @Test func `nothing is touched before a subnet is known`() async throws {
        try await run(resync: .milliseconds(1)) { _ in
            await eventually { firewall.isListenedTo }
            firewall.change { _ in }
        }
        #expect(firewall.read { $0.looks == 0 && $0.table == nil })
    }

    @Test func `it is there when prepared, and what is there already is not written again`() async throws {
        try await run { masquerader in
            try await masquerader.prepare(Self.masquerade)
            #expect(firewall.read { $0.table == Self.masquerade })
            try await masquerader.prepare(Self.masquerade)
            #expect(firewall.read { $0.writes.count == 1 })
            try await masquerader.prepare(Self.moved)
            #expect(firewall.read { $0.table == Self.moved && $0.writes.count == 2 })
        }
        #expect(firewall.read { $0.table == Self.moved })
        #expect(status.read { $0.masquerade == MasqueradeStatus() })
    }

    @Test func `the news of its own new table does not make it put the old one back`() async throws {
        try await run { masquerader in
            try await masquerader.prepare(Self.masquerade)
            await eventually { firewall.isListenedTo && firewall.read { $0.looks >= 2 } }
            firewall.change { $0.lingers = true }
            try await masquerader.prepare(Self.moved)
            #expect(firewall.read { $0.table } == Self.moved)
        }
        #expect(firewall.read { $0.table == Self.moved && $0.writes.count == 2 })
        #expect(status.read { $0.masquerade.repairs } == 0)
    }

    @Test func `what others take away is put back and counted`() async throws {
        try await run { masquerader in
            try await masquerader.prepare(Self.masquerade)
            // Preparing looks, and then the loop does.
            await eventually { firewall.read { $0.looks >= 2 } }
            firewall.change { $0.table = nil }
            await eventually { firewall.read { $0.table == Self.masquerade } }
            firewall.change { $0.table = Self.moved }
            await eventually { firewall.read { $0.table == Self.masquerade } }
            await eventually { status.read { $0.masquerade.repairs == 2 } }
        }
    }

    @Test func `a look now and then finds what nobody told`() async throws {
        let deaf = DeafFirewall(inner: firewall)
        let masquerader = Masquerader(
            driver: deaf, status: status, resync: .milliseconds(5), withdrawsOnShutdown: false, logger: silent)
        let task = Task { try await masquerader.run() }
        try await masquerader.prepare(Self.masquerade)
        firewall.change { $0.table = nil }
        await eventually { firewall.read { $0.table == Self.masquerade } }
        task.cancel()
        try? await task.value
    }

    @Test func `in a fight each repair waits longer`() async throws {
        firewall.change { $0.isFoughtOver = true }
        try await run { masquerader in
            try await masquerader.prepare(Self.masquerade)
            firewall.change { _ in }
            // The first write is prepare's; a known table is repaired from the second pass on.
            await eventually { firewall.read { $0.writes.count >= 8 } }
        }
        let writes = firewall.read { $0.writes }
        // Pauses of at least 10, 20, 40, 80 and 160 ms lie between the last six.
        #expect(writes[7] - writes[2] >= .milliseconds(310))
    }

    @Test func `what fails is told, tried again, and told to be well`() async throws {
        firewall.change { $0.error = Self.refusal }
        try await run { masquerader in
            await #expect(throws: DataplaneError.self) { try await masquerader.prepare(Self.masquerade) }
            #expect(status.read { $0.masquerade.problem } == "no")
            #expect(
                status.read { $0.readiness(at: status.clock.now) }.contains {
                    $0.name == "dataplane" && $0.problem != nil
                })
            firewall.change { $0.error = nil }
            await eventually { firewall.read { $0.table == Self.masquerade } }
            await eventually { status.read { $0.masquerade.problem == nil } }
        }
        #expect(status.read { $0.masquerade.repairs == 0 })
    }

    @Test(arguments: [true, false])
    func `at the end it is taken away where it is to be`(withdraws: Bool) async throws {
        try await run(withdraws: withdraws) { try await $0.prepare(Self.masquerade) }
        #expect(firewall.read { $0.table } == (withdraws ? nil : Self.masquerade))
    }
}

/// Tells of nothing.
private struct DeafFirewall: MasqueradeDriver {
    let inner: FakeFirewall

    func has(_ masquerade: Masquerade) async throws(DataplaneError) -> Bool { try await inner.has(masquerade) }
    func apply(_ masquerade: Masquerade) async throws(DataplaneError) { try await inner.apply(masquerade) }
    func withdraw() async throws(DataplaneError) { try await inner.withdraw() }
    func changes() async throws(DataplaneError) -> AsyncStream<Void> {
        throw DataplaneError(remedy: .retry, description: "deaf")
    }
}
