// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import Leases
package import Logging
import ServiceLifecycle

/// Keeps the host's masquerading as it should be: looks when the kernel says that something was changed, and now and
/// then all the same; puts it back.
///
/// The first repair comes at once. Each that follows soon waits longer than the one before, so that a fight with
/// another program costs neither of them a processor.
package struct Masquerader<Driver: MasqueradeDriver>: Service {
    private let driver: Driver
    private let status: NodeStatus
    private let inbox = MasqueradeInbox()
    private let resync: Duration
    private let withdrawsOnShutdown: Bool
    private let logger: Logger

    package init(
        driver: Driver, status: NodeStatus, resync: Duration, withdrawsOnShutdown: Bool, logger: Logger
    ) {
        self.driver = driver
        self.status = status
        self.resync = resync
        self.withdrawsOnShutdown = withdrawsOnShutdown
        self.logger = logger
    }

    /// Makes it so and keeps it so from now on; returns when packets are masqueraded like this. After an error it is
    /// tried again, here too.
    package func prepare(_ masquerade: Masquerade) async throws {
        // Known before it is written: what the kernel tells of it must not make the loop put the former one back.
        inbox.want(masquerade)
        defer { inbox.wake() }
        do {
            if try await !driver.has(masquerade) { try await driver.apply(masquerade) }
        } catch {
            report(error)
            throw error
        }
    }

    /// What the loop keeps between passes.
    private struct State {
        /// What was in the kernel when it was last looked at.
        var known: Masquerade?
        /// Nothing is done before.
        var pause = ContinuousClock.now
        var lastTrouble: ContinuousClock.Instant?
        var backoff = Backoff(first: .milliseconds(20), limit: .seconds(30))
        /// Without peace between them.
        var quickRepairs = 0
        var random = SystemRandomNumberGenerator()
    }

    /// Trouble after that much peace is the first of its kind again.
    private static var peace: Duration { .seconds(30) }
    /// So many repairs without peace between them are a fight.
    private static var fightLength: Int { 5 }

    package func run() async throws {
        let signals = inbox.signals.cancelOnGracefulShutdown()
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            group.addTask { await listen() }
            group.addTask { while (try? await Task.sleep(for: resync)) != nil { inbox.wake() } }
            var state = State()
            var timer = ContinuousClock.now
            for await _ in signals {
                if state.pause <= .now { await pass(&state) }
                // One timer at a time, however many signals come before it fires.
                guard state.pause > .now, timer <= .now else { continue }
                timer = state.pause
                group.addTask { [timer] in
                    try? await Task.sleep(until: timer, clock: .continuous)
                    inbox.wake()
                }
            }
        }
        if withdrawsOnShutdown { await withdraw() }
    }

    private func listen() async {
        while !Task.isCancelled {
            do {
                let changes = try await driver.changes()
                // What came before is looked at, too.
                inbox.wake()
                for await _ in changes { inbox.wake() }
            } catch {
                logger.warning(
                    "changes of the masquerading can't be heard of; it is looked at every so often",
                    metadata: ["error": "\(error)", "seconds": "\(resync.components.seconds)"])
            }
            try? await Task.sleep(for: resync)
        }
    }

    private func pass(_ state: inout State) async {
        guard let wanted = inbox.wanted else { return }
        do {
            if try await !driver.has(wanted) {
                // Another one is wanted since, and the next pass is for that.
                guard inbox.wanted == wanted else { return }
                try await driver.apply(wanted)
                if state.known == wanted { noteRepair(&state) }
            }
            state.known = wanted
            let hadProblem = status.update { snapshot in
                defer { snapshot.masquerade.problem = nil }
                return snapshot.masquerade.problem != nil
            }
            if hadProblem { logger.notice("the masquerading is as it should be again") }
        } catch {
            report(error)
            noteTrouble(&state)
            state.pause = .now + state.backoff.next(using: &state.random)
        }
    }

    private func noteRepair(_ state: inout State) {
        noteTrouble(&state)
        let repairs = status.update { snapshot in
            snapshot.masquerade.repairs += 1
            return snapshot.masquerade.repairs
        }
        state.pause = .now + state.backoff.next(using: &state.random)
        state.quickRepairs += 1
        if state.quickRepairs == Self.fightLength {
            logger.warning(
                "another program keeps changing the masquerading; it is put back, but ever more slowly",
                metadata: ["repairs": "\(repairs)"])
        } else {
            logger.log(
                level: state.quickRepairs == 1 ? .notice : .debug,
                "the masquerading was changed by others and is put back",
                metadata: ["repairs": "\(repairs)"])
        }
    }

    /// After a time of peace the pauses are short again.
    private func noteTrouble(_ state: inout State) {
        if let last = state.lastTrouble, last + Self.peace < .now {
            state.backoff.reset()
            state.quickRepairs = 0
        }
        state.lastTrouble = .now
    }

    private func report(_ error: any Error) {
        let isNews = status.update { snapshot in
            defer { snapshot.masquerade.problem = "\(error)" }
            return snapshot.masquerade.problem != "\(error)"
        }
        guard isNews else { return }
        logger.error(
            "what pods send out of the cluster can't be masqueraded; trying again", metadata: ["error": "\(error)"])
    }

    private func withdraw() async {
        do {
            try await driver.withdraw()
        } catch {
            logger.error("the masquerading could not be withdrawn", metadata: ["error": "\(error)"])
        }
    }
}
