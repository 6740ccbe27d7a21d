// SPDX-License-Identifier: Apache-2.0

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

    package init(
        store: Store, settings: LeaseHolderStateMachine.Settings, status: NodeStatus, inbox: LeaseHolderInbox,
        reconciler: ReconcilerInbox, releasesOnShutdown: Bool, seed: UInt64, logger: Logger,
        remember: @escaping @Sendable (SubnetKey) -> Void
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
    }

    private var clock: MonotonicClock { status.clock }

    /// Runs until shutdown; throws ``LeaseHolderStop`` where the program must end by itself.
    package func run() async throws {
        var machine = LeaseHolderStateMachine(settings: settings, seed: seed)
        let stop = await withDiscardingTaskGroup { group -> LeaseHolderStop? in
            defer { group.cancelAll() }
            var timer: MonotonicTime?
            for await input in inbox.inputs.cancelOnGracefulShutdown() {
                for action in handle(input, &machine) {
                    if case .stop(let reason) = action { return reason }
                    perform(action, in: &group)
                }
                publish(machine)
                if case .timer = input { timer = nil }
                if let wake = machine.wakeTime, wake != timer {
                    timer = wake
                    let pause = wake - clock.now
                    group.addTask {
                        try? await Task.sleep(for: pause)
                        inbox.post(.timer)
                    }
                }
            }
            return nil
        }
        if let stop { throw stop }
        await shutDown(&machine)
    }

    private func handle(
        _ input: LeaseHolderInbox.Input, _ machine: inout LeaseHolderStateMachine
    ) -> [LeaseHolderAction] {
        let now = clock.now
        switch input {
        case .leasesKnown:
            return status.read { snapshot in
                guard let config = snapshot.config else { return [] }
                return machine.leasesKnown(snapshot.leases, config: config, at: now)
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
        }
    }

    private func perform(_ action: LeaseHolderAction, in group: inout DiscardingTaskGroup) {
        switch action {
        case .send(let request): group.addTask { inbox.post(await ask(request)) }
        case .release(let key, let revision):
            group.addTask { await releaseOld(key, at: revision) }
        case .revoke(let grant):
            group.addTask { await revoke(grant) }
        case .hold(let lease):
            logger.notice(
                "subnet leased",
                metadata: ["subnet": "\(lease.key)", "revision": "\(lease.modRevision)"])
            status.update { $0.leaseProblem = nil }
            remember(lease.key)
            reconciler.setOwn(lease.key)
        case .lost(let key, let holder):
            logger.critical(
                "the subnet belongs to another node now; this node's pods are cut off until it has another",
                metadata: ["subnet": "\(key)", "holder": "\(holder?.announcement.node?.name ?? "unknown")"])
            status.update { $0.leaseProblem = "the lease of \(key.subnet) was lost to another node" }
            reconciler.setOwn(nil)
        case .report(let notice): report(notice)
        case .stop: break
        }
    }

    private func ask(_ request: LeaseHolderRequest) async -> LeaseHolderInbox.Input {
        let sentAt = clock.now
        do {
            switch request {
            case .grant(let ttl): return .granted(try await store.grant(ttl: ttl), sentAt: sentAt)
            case .commit(let claim): return .committed(claim, try await store.commit(claim))
            case .renew(let grant): return .renewed(grant, try await store.renew(grant), sentAt: sentAt)
            }
        } catch {
            return .failed(request, error)
        }
    }

    private func releaseOld(_ key: SubnetKey, at revision: Revision) async {
        do {
            _ = try await store.release(key, at: revision)
        } catch {
            logger.warning("the old lease could not be released", metadata: metadata(key, error))
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

    private func publish(_ machine: LeaseHolderStateMachine) {
        let now = clock.now
        let phase = machine.phase(at: now)
        let isNews = status.update {
            let before = ($0.lease?.key, $0.lastPhase, $0.deadline)
            $0.lease = machine.lease
            $0.lastPhase = phase
            $0.deadline = machine.deadline
            return before != ($0.lease?.key, $0.lastPhase, $0.deadline)
        }
        if isNews { reportBelief(machine.lease?.key, phase, until: machine.deadline, at: now) }
    }

    private func shutDown(_ machine: inout LeaseHolderStateMachine) async {
        let lease = machine.lease
        _ = machine.shutDown(releasing: releasesOnShutdown)
        publish(machine)
        guard releasesOnShutdown, let lease else { return }
        // A store that does not answer must not keep the program from ending.
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await release(lease) }
            group.addTask { try? await Task.sleep(for: .milliseconds(1500)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func release(_ lease: Lease) async {
        do {
            let released = try await store.release(lease.key, at: lease.modRevision)
            logger.notice(
                released ? "lease released" : "the lease was another's already",
                metadata: ["subnet": "\(lease.key)"])
            if let grant = lease.grantID { await revoke(grant) }
        } catch {
            logger.error("the lease could not be released; it expires by itself", metadata: metadata(lease.key, error))
        }
    }

    private func metadata(_ key: SubnetKey, _ error: LeaseStoreError) -> Logger.Metadata {
        ["subnet": "\(key)", "error": "\(error)"]
    }
}
