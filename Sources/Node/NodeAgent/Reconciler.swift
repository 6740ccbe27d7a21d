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
        /// Whether the interface was chosen by nobody, and is to stay the one that it was.
        let isPinned: Bool
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
            self.selection = selection
            isPinned = !selection.hasRule
            self.resync = resync
        }
    }

    let driver: Driver
    let settings: Settings
    let status: NodeStatus
    let inbox: ReconcilerInbox
    let logger: Logger
    /// Publishes the subnet; called after the device is up and the known peers are in, but for those that the kernel
    /// refuses. Says whether it did: not where the subnet was lost meanwhile.
    let publishSubnet: @Sendable (SubnetFile) async throws -> Bool
    /// Takes the promise of a lost subnet back, where the subnet file still makes it.
    let forfeitSubnet: @Sendable (SubnetKey) throws -> Void
    /// Who is to hear of another address of this node.
    let holder: LeaseHolderInbox
    /// Called when the underlay is another, or has another address: connections from the former lead nowhere.
    let whenMoved: @Sendable () -> Void

    package init(
        driver: Driver, settings: Settings, status: NodeStatus, inbox: ReconcilerInbox, logger: Logger,
        holder: LeaseHolderInbox = LeaseHolderInbox(), whenMoved: @escaping @Sendable () -> Void = {},
        forfeitSubnet: @escaping @Sendable (SubnetKey) throws -> Void = { _ in },
        publishSubnet: @escaping @Sendable (SubnetFile) async throws -> Bool
    ) {
        self.driver = driver
        self.settings = settings
        self.status = status
        self.inbox = inbox
        self.logger = logger
        self.holder = holder
        self.whenMoved = whenMoved
        self.forfeitSubnet = forfeitSubnet
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
                let start = ContinuousClock.now
                let next = await pass(&state)
                status.metrics.reconciled(in: .now - start)
                guard let due = next else { continue }
                let now = status.clock.now
                if let timer, now < timer, timer <= due { continue }
                timer = due
                group.addTask {
                    try? await Task.sleep(for: max(.zero, due - now))
                    inbox.wake()
                }
            }
        }
        guard settings.withdrawsOnShutdown else { return }
        await withdraw(&state.ipv4)
        await withdraw(&state.ipv6)
    }

    /// - Returns: when there is something to be done although nothing may come.
    private func pass(_ state: inout ReconcilerState) async -> MonotonicTime? {
        let start = status.clock.now
        let content = inbox.take()
        // A pass that never ends is what the watchdog looks for.
        defer { content.pulse?.answer() }
        state.take(content)
        if content.hasDrift { await noteDrift(&state) }
        if state.needsUnderlay, state.config != nil { await findUnderlay(&state) }
        guard let situation = Situation(state) else { return nil }
        let isAuditing = state.ipv4.needsDump || state.ipv6.needsDump
        let isIPv4True = await pass(&state.ipv4, situation, content, into: \.faults)
        let isIPv6True = await pass(&state.ipv6, situation, content, into: \.ipv6Faults)
        lookForPublicIP(settings.selection.publicIP, &state.ipv4, situation)
        lookForPublicIP(settings.selection.publicIPv6, &state.ipv6, situation)
        if isAuditing, !state.ipv4.needsDump, !state.ipv6.needsDump { state.lastAudit = status.clock.now }
        if !isIPv4True || !isIPv6True { state.askForAudit() }
        // What pods can do without, they need not wait for.
        let isSound =
            (state.ipv4.isSound || !situation.requires(IPv4Address.self))
            && (state.ipv6.isSound || !situation.requires(IPv6Address.self))
        let isPublished = await publish(&state, isSound: isSound)
        let now = status.clock.now
        var dates = [
            state.ipv4.retryTime(after: now, using: &state.random),
            state.ipv6.retryTime(after: now, using: &state.random),
            // As of the pass's beginning: what was held then was left out of it, however long it took since.
            state.nextHoldEnd(after: start),
        ]
        let isUnderlayMissed = state.needsUnderlay && isIPv4True && isIPv6True
        if !isPublished || isUnderlayMissed {
            dates.append(state.retryTime(at: now))
        } else {
            state.backoff.reset()
        }
        return dates.compactMap(\.self).min()
    }

    /// One family's part of a pass, which the other's trouble does not touch.
    ///
    /// - Returns: `false` where the kernel was found to be another than it was taken for.
    private func pass<Address: DataplaneAddress>(
        _ family: inout FamilyState<Address>, _ situation: Situation, _ content: ReconcilerInbox.Content,
        into faults: WritableKeyPath<NodeStatus.Snapshot, [SubnetKey: String]>
    ) async -> Bool {
        family.isSound = false
        do {
            try await prepare(&family, situation)
            family.problem = nil
        } catch {
            if family.problem != error.description {
                logger.error("the dataplane can't be set up; trying again", metadata: ["error": "\(error)"])
            }
            family.problem = error.description
        }
        // Also after an error: what the content said must not be lost.
        want(content, &family, into: faults)
        guard family.problem == nil else { return true }
        family.isSound = await apply(&family, removing: situation.isComplete)
        return family.isSound
    }

    /// Puts changed leases into the table, and all of them when this node has become another.
    private func want<Address: DataplaneAddress>(
        _ content: ReconcilerInbox.Content, _ family: inout FamilyState<Address>,
        into published: WritableKeyPath<NodeStatus.Snapshot, [SubnetKey: String]>
    ) {
        guard let local = family.local else { return }
        // Of a family that is not carried nobody's lease needs to be known.
        let isCarried = local.backend != .none
        var faults: PeerFaults<Address> = [:]
        var isAnew = false
        if var table = family.table {
            family.table = nil  // The only one, so that changing it copies nothing.
            isAnew = status.read { snapshot in
                isCarried
                    ? table.setLocal(local, leases: snapshot.leases.leases, &faults)
                    : table.setLocal(local, leases: EmptyCollection(), &faults)
            }
            if !isAnew, isCarried {
                // Each by itself: whoever else wants to know something need not wait for all of them.
                for key in content.leases { table.set(status.read { $0.leases[key] }, for: key, &faults) }
            }
            family.table = table
        } else {
            var table = PeerTable(local: local)
            table.tracker = family.unowned ?? DataplaneTracker()
            family.unowned = nil
            if isCarried {
                status.read { snapshot in
                    for lease in snapshot.leases.leases { table.set(lease, for: lease.key, &faults) }
                }
            }
            isAnew = true
            family.table = table
        }
        if isAnew || !faults.isEmpty { setFaults(faults, replacing: isAnew, in: published) }
    }

    private func setFaults<Address: DataplaneAddress>(
        _ faults: PeerFaults<Address>, replacing: Bool,
        in published: WritableKeyPath<NodeStatus.Snapshot, [SubnetKey: String]>
    ) {
        let family = Address.self == IPv4Address.self ? "" : "\(Address.familyName): "
        let news = status.update { snapshot in
            let known = snapshot[keyPath: published]
            if replacing { snapshot[keyPath: published] = [:] }
            var news: [(SubnetKey, String)] = []
            for (key, fault) in faults {
                // A subnet that is kept for a node that is not there yet has no VTEP, and may have no address.
                let isIdle = fault?.isOfAbsentNode == true && snapshot.leases[key]?.kind == .reservation
                guard let fault, fault.isWorthReporting, !isIdle else {
                    if !snapshot[keyPath: published].isEmpty { snapshot[keyPath: published][key] = nil }
                    continue
                }
                let sentence = family + fault.description
                snapshot[keyPath: published][key] = sentence
                if known[key] != sentence { news.append((key, sentence)) }
            }
            return news
        }
        for (key, fault) in news {
            logger.warning("a lease is not programmed", metadata: ["subnet": "\(key)", "reason": "\(fault)"])
        }
    }
}
