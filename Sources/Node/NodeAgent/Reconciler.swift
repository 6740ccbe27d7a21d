// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
package import Leases
package import Logging
import ServiceLifecycle

/// Makes the kernel do what the leases say: takes the newest wanted state, compares it with what the kernel has,
/// applies the difference, and says when the node's subnet can be used. What others change in the kernel is put back.
///
/// One loop, woken by changed leases, by the kernel's notifications, by the audit's timer and by its own retries; a
/// pass does all that is due. An entry that fails is held for a while and keeps no other waiting.
package struct Reconciler<Driver: DataplaneDriver>: Service {
    package struct Settings: Sendable {
        package var node: NodeID
        package var underlay: Underlay
        package var mac: MACAddress
        /// The VXLAN device's name; `nil`: `tartan.VNI`.
        package var device: String?
        package var masquerade: Bool
        /// Whether this program programs the host at all.
        package var carriesTraffic: Bool
        package var withdrawsOnShutdown: Bool
        /// How the underlay is found again after it changed: by the rule, where there is one, else by the name of the
        /// one that was chosen.
        package var selection: UnderlaySelection
        /// How often the kernel is audited although nothing is known to have changed.
        package var resync: Duration

        package init(
            node: NodeID, underlay: Underlay, mac: MACAddress, device: String?, masquerade: Bool,
            carriesTraffic: Bool, withdrawsOnShutdown: Bool, selection: UnderlaySelection = UnderlaySelection(),
            resync: Duration = .seconds(300)
        ) {
            self.node = node
            self.underlay = underlay
            self.mac = mac
            self.device = device
            self.masquerade = masquerade
            self.carriesTraffic = carriesTraffic
            self.withdrawsOnShutdown = withdrawsOnShutdown
            self.selection = selection.hasRule ? selection : selection.pinned(to: underlay)
            self.resync = resync
        }
    }

    let driver: Driver
    let settings: Settings
    let status: NodeStatus
    let inbox: ReconcilerInbox
    let logger: Logger
    /// Publishes the subnet; called after the device is up and the known peers are in, but for those that the kernel
    /// refuses, and again, with ``SubnetFile/isLeaseLost``, when it is another node's.
    let publishSubnet: @Sendable (SubnetFile) async throws -> Void

    package init(
        driver: Driver, settings: Settings, status: NodeStatus, inbox: ReconcilerInbox, logger: Logger,
        publishSubnet: @escaping @Sendable (SubnetFile) async throws -> Void
    ) {
        self.driver = driver
        self.settings = settings
        self.status = status
        self.inbox = inbox
        self.logger = logger
        self.publishSubnet = publishSubnet
    }

    package func run() async throws {
        var state = ReconcilerState(underlay: settings.underlay)
        let signals = inbox.signals.cancelOnGracefulShutdown()
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            group.addTask { for await _ in driver.changeSignals { inbox.noteDrift() } }
            group.addTask {
                while (try? await Task.sleep(for: settings.resync)) != nil { inbox.noteAuditDue() }
            }
            // One timer at a time, unless something is due sooner.
            var timer: MonotonicTime?
            for await _ in signals {
                guard let due = await pass(&state) else { continue }
                let now = status.clock.now
                if let timer, now < timer, timer <= due { continue }
                timer = due
                group.addTask {
                    try? await Task.sleep(for: max(.zero, due - now))
                    inbox.wake()
                }
            }
        }
        // The daemon may end because the lease is lost, and then there is no other pass.
        state.take(inbox.take())
        _ = await tellOfLoss(&state)
        if settings.withdrawsOnShutdown { await withdraw(&state) }
    }

    /// - Returns: when there is something to be done although nothing may come.
    private func pass(_ state: inout ReconcilerState) async -> MonotonicTime? {
        let content = inbox.take()
        // A pass that never ends is what the watchdog looks for.
        defer { content.pulse?.answer() }
        state.take(content)
        if content.hasDrift { await noteDrift(&state) }
        let isLossTold = await tellOfLoss(&state)
        do {
            try await prepare(&state)
        } catch {
            report(error, &state)
            // What the content said must not be lost: the next pass finds it in the table once there is one.
            want(content, &state)
            let now = status.clock.now
            return state.prepared == nil
                ? state.deviceFight.nextEnd(after: now) ?? state.retryTime(at: now)
                : state.retryTime(at: now)
        }
        want(content, &state)
        let isSound = await apply(&state)
        guard await publish(&state, isSound: isSound), isLossTold, isSound, !state.needsUnderlay else {
            let now = status.clock.now
            let retry = state.retryTime(at: now)
            return state.nextHoldEnd(after: now).map { min($0, retry) } ?? retry
        }
        state.backoff.reset()
        return state.nextHoldEnd(after: status.clock.now)
    }

    private func report(_ error: DataplaneError, _ state: inout ReconcilerState) {
        if state.lastProblem != error.description {
            logger.error("the dataplane can't be set up; trying again", metadata: ["error": "\(error)"])
        }
        state.lastProblem = error.description
        // What is wrong with the underlay is likely to be the cause.
        let problem = state.underlayProblem ?? error.description
        status.update { $0.dataplane.problem = problem }
    }

    /// Puts changed leases into the table, and all of them when this node has become another.
    private func want(_ content: ReconcilerInbox.Content, _ state: inout ReconcilerState) {
        guard let local = state.local else { return }
        var faults: PeerTable.Faults = [:]
        var isAnew = false
        if var table = state.table {
            state.table = nil  // The only one, so that changing it copies nothing.
            isAnew = status.read { table.setLocal(local, leases: $0.leases.leases, &faults) }
            if !isAnew {
                // Each by itself: whoever else wants to know something need not wait for all of them.
                for key in content.leases { table.set(status.read { $0.leases[key] }, for: key, &faults) }
            }
            state.table = table
        } else {
            var table = PeerTable(local: local)
            table.tracker = state.unowned ?? DataplaneTracker()
            state.unowned = nil
            status.read { snapshot in
                for lease in snapshot.leases.leases { table.set(lease, for: lease.key, &faults) }
            }
            isAnew = true
            state.table = table
        }
        setFaults(faults, replacing: isAnew)
    }

    private func setFaults(_ faults: PeerTable.Faults, replacing: Bool) {
        let news = status.update { snapshot in
            let known = snapshot.faults
            if replacing { snapshot.faults = [:] }
            var news: [(SubnetKey, PeerFault)] = []
            for (key, fault) in faults {
                // A subnet that is kept for a node that is not there yet has no VTEP.
                let isIdle = fault == .missingVTEP && snapshot.leases[key]?.kind == .reservation
                guard let fault, fault.isWorthReporting, !isIdle else {
                    if !snapshot.faults.isEmpty { snapshot.faults[key] = nil }
                    continue
                }
                snapshot.faults[key] = fault.description
                if known[key] != fault.description { news.append((key, fault)) }
            }
            return news
        }
        for (key, fault) in news {
            logger.warning("a lease is not programmed", metadata: ["subnet": "\(key)", "reason": "\(fault)"])
        }
    }
}
