// SPDX-License-Identifier: Apache-2.0

import IPAddressing
package import Leases
package import Logging
import ServiceLifecycle

/// Keeps the node's own lease: does what the ``LeaseHolderStateMachine`` decides and tells it what came of it.
package struct LeaseHolder<Store: LeaseStore>: Service {
    private let store: Store
    private let settings: LeaseHolderStateMachine.Settings
    let status: NodeStatus
    private let inbox: LeaseHolderInbox
    private let reconciler: ReconcilerInbox
    private let releasesOnShutdown: Bool
    private let seed: UInt64
    let logger: Logger
    /// Notes the subnet for the next start.
    private let remember: @Sendable (SubnetKey) -> Void
    /// Tells the pods' plugin that a subnet is this node's no more; done when it returns.
    private let forfeit: @Sendable (SubnetKey) throws -> Void

    package init(
        store: Store, settings: LeaseHolderStateMachine.Settings, status: NodeStatus, inbox: LeaseHolderInbox,
        reconciler: ReconcilerInbox, releasesOnShutdown: Bool, seed: UInt64, logger: Logger,
        remember: @escaping @Sendable (SubnetKey) -> Void,
        forfeit: @escaping @Sendable (SubnetKey) throws -> Void = { _ in }
    ) {
        self.store = store
        self.settings = settings
        self.status = status
        self.inbox = inbox
        self.reconciler = reconciler
        self.releasesOnShutdown = releasesOnShutdown
        self.seed = seed
        self.logger = logger
        self.remember = remember
        self.forfeit = forfeit
    }

    private var clock: MonotonicClock { status.clock }

    /// Runs until shutdown; throws ``LeaseHolderStop`` where the program must end by itself.
    package func run() async throws {
        var machine = LeaseHolderStateMachine(settings: settings, seed: seed)
        let alarm = Alarm(clock: clock) { inbox.post(.timer) }
        defer { alarm.set(nil) }
        let ending = await withDiscardingTaskGroup { group -> Ending in
            defer { group.cancelAll() }
            for await input in inbox.inputs.cancelOnGracefulShutdown() {
                if case .pulse(let pulse) = input {
                    pulse.answer()
                    continue
                }
                if case .timer = input { alarm.set(nil) }
                let actions = handle(input, &machine)
                if let ending = Ending(actions) {
                    for action in ending.others { perform(action, in: &group) }
                    // A namesake's is the node from now on, and with it what this one had.
                    if case .identityConflict? = ending.reason, let key = status.read({ $0.lease?.key }) { giveUp(key) }
                    return ending
                }
                for action in actions { perform(action, in: &group) }
                publish(machine)
                alarm.set(machine.wakeTime)
            }
            let key = machine.ownKey
            let ending = Ending(farewell: machine.shutDown(releasing: releasesOnShutdown))
            // First the plugin: by the time etcd hears of it, another node may have the subnet.
            if let key, !ending.farewell.isEmpty { giveUp(key) }
            return ending
        }
        publish(machine)
        await take(leave: ending.farewell)
        if let reason = ending.reason { throw reason }
    }

    /// How the loop ended, and what is to be given back before the program does.
    private struct Ending {
        /// `nil`: as somebody wished.
        let reason: LeaseHolderStop?
        let farewell: [LeaseHolderAction]
        let others: [LeaseHolderAction]

        init(farewell: [LeaseHolderAction]) {
            reason = nil
            self.farewell = farewell
            others = []
        }

        init?(_ actions: [LeaseHolderAction]) {
            guard case .stop(let reason)? = actions.last else { return nil }
            self.reason = reason
            farewell = actions.filter(Self.givesBack)
            others = actions.filter { !Self.givesBack($0) }
        }

        private static func givesBack(_ action: LeaseHolderAction) -> Bool {
            switch action {
            case .release, .revoke: true
            default: false
            }
        }
    }

    private func handle(
        _ input: LeaseHolderInbox.Input, _ machine: inout LeaseHolderStateMachine
    ) -> [LeaseHolderAction] {
        let now = clock.now
        switch input {
        case .leasesKnown:
            return status.read { snapshot in
                guard let reading = snapshot.newestConfig else { return [] }
                return machine.leasesKnown(snapshot.leases, config: reading, at: now)
            }
        case .leasesChanged(let changes):
            return status.read { machine.leasesChanged(changes, in: $0.leases, at: now) }
        case .granted(let grant, let sentAt): return machine.granted(grant, sentAt: sentAt)
        case .committed(let claim, let outcome):
            return status.read { machine.committed(claim, outcome, in: $0.leases, at: now) }
        case .renewed(let grant, let ttl, let sentAt):
            return status.read { machine.renewed(grant, ttl, sentAt: sentAt, in: $0.leases, at: now) }
        case .failed(let request, let error): return machine.requestFailed(request, error, at: now)
        case .timer: return machine.timerFired(at: now)
        case .addressChanged(let address, let ipv6):
            return status.read { machine.addressChanged(to: address, ipv6, in: $0.leases, at: now) }
        case .pulse: return []
        }
    }

    private func perform(_ action: LeaseHolderAction, in group: inout DiscardingTaskGroup) {
        switch action {
        case .send(let request): group.addTask { inbox.post(await ask(request)) }
        case .release(let lease): group.addTask { await release(lease) }
        case .revoke(let grant): group.addTask { await revoke(grant) }
        case .noteFreed(let lease): group.addTask { await noteFreed(lease) }
        case .hold(let lease):
            logger.notice(
                "subnet leased",
                metadata: ["subnet": "\(lease.key)", "revision": "\(lease.modRevision)"])
            status.update { $0.leaseProblem = nil }
            remember(lease.key)
            reconciler.setOwn(lease.key)
        case .lost(let key, let holder):
            status.metrics.count(.lost)
            logger.critical(
                "the subnet belongs to another node now; this node's pods are cut off until it has another",
                metadata: ["subnet": "\(key)", "holder": "\(holder?.announcement.node?.name ?? "unknown")"])
            status.update { $0.leaseProblem = "the lease of \(key.text) was lost to another node" }
            giveUp(key)
            reconciler.lose(key)
        case .forgo(let key):
            logger.info("a subnet that this node had is not its own any more", metadata: ["subnet": "\(key)"])
            forgo(key)
        case .report(let notice):
            report(notice)
            if case .unfit(let key) = notice { forgo(key) }
        case .stop: break
        }
    }

    /// No pod may get an address of that subnet any more, whatever becomes of this program.
    private func giveUp(_ key: SubnetKey) {
        status.update { $0.isSubnetFileWritten = false }
        do {
            try forfeit(key)
        } catch {
            logger.error(
                "the subnet file still promises a subnet that is not this node's any more",
                metadata: ["error": "\(error)"])
            status.update { $0.subnetFileProblem = "\(error)" }
        }
    }

    /// The same of a subnet that was not in use.
    private func forgo(_ key: SubnetKey) {
        giveUp(key)
        reconciler.lose(key)
    }

    private func ask(_ request: LeaseHolderRequest) async -> LeaseHolderInbox.Input {
        let sentAt = clock.now
        do {
            switch request {
            case .grant(let ttl): return .granted(try await store.grant(ttl: ttl), sentAt: sentAt)
            case .commit(let claim): return .committed(claim, try await store.commit(claim))
            case .renew(let grant):
                let ttl = try await store.renew(grant)
                status.metrics.count(ttl == nil ? .gone : .renewed)
                return .renewed(grant, ttl, sentAt: sentAt)
            }
        } catch {
            if case .renew = request, error.remedy != .cancelled { status.metrics.count(.failed) }
            return .failed(request, error)
        }
    }

    private func revoke(_ grant: GrantID) async {
        do {
            try await store.revoke(grant)
        } catch {
            logger.info(
                "a grant could not be revoked; it expires by itself",
                metadata: ["grant": "\(grant)", "error": "\(error)"])
        }
    }

    private func noteFreed(_ lease: Lease) async {
        do {
            try await store.noteFreed(lease)
        } catch {
            // Only the order in which free subnets are handed out suffers.
            logger.debug("a freed subnet could not be noted", metadata: metadata(lease.key, error))
        }
    }

    private func publish(_ machine: LeaseHolderStateMachine) {
        let now = clock.now
        let phase = machine.phase(at: now)
        let before = status.read { ($0.lease?.key, $0.lastPhase, $0.deadline) }
        if before != (machine.lease?.key, phase, machine.deadline) {
            reportBelief(machine.lease?.key, phase, until: machine.deadline, at: now)
        }
        let newConfig = status.update { snapshot -> NetworkConfig? in
            snapshot.lease = machine.lease
            snapshot.lastPhase = phase
            snapshot.deadline = machine.deadline
            let identity = machine.settings.identity
            snapshot.publicIP = identity.publicIP == .any ? nil : identity.publicIP
            snapshot.publicIPv6 = identity.publicIPv6
            snapshot.addressProblem = machine.addressConflict?.description
            guard let config = machine.config else { return nil }
            if snapshot.newestConfig == .valid(config) { snapshot.configProblem = nil }
            guard snapshot.config != .valid(config) else { return nil }
            snapshot.config = .valid(config)
            return config
        }
        if let newConfig {
            logger.notice("the network config changed", metadata: ["network": "\(newConfig.network)"])
            reconciler.setConfig(.valid(newConfig))
        }
    }

    /// Gives back what is to be given back. A store that does not answer must not keep the program from ending.
    private func take(leave farewell: [LeaseHolderAction]) async {
        guard !farewell.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for action in farewell {
                    switch action {
                    case .release(let lease): await release(lease)
                    case .revoke(let grant): await revoke(grant)
                    default: break
                    }
                }
            }
            group.addTask { try? await Task.sleep(for: .milliseconds(1500)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func release(_ lease: Lease) async {
        do {
            let released = try await store.release(lease)
            logger.notice(
                released ? "lease released" : "the lease was another's already",
                metadata: ["subnet": "\(lease.key)"])
        } catch {
            logger.error("the lease could not be released; it expires by itself", metadata: metadata(lease.key, error))
        }
    }

    private func metadata(_ key: SubnetKey, _ error: LeaseStoreError) -> Logger.Metadata {
        ["subnet": "\(key)", "error": "\(error)"]
    }
}
