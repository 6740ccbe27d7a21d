// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
package import Leases
package import Logging
import ServiceLifecycle

/// Makes the kernel do what the leases say: takes the newest wanted state, compares it with what the kernel has,
/// applies the difference, and says when the node's subnet can be used.
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

        package init(
            node: NodeID, underlay: Underlay, mac: MACAddress, device: String?, masquerade: Bool,
            carriesTraffic: Bool, withdrawsOnShutdown: Bool
        ) {
            self.node = node
            self.underlay = underlay
            self.mac = mac
            self.device = device
            self.masquerade = masquerade
            self.carriesTraffic = carriesTraffic
            self.withdrawsOnShutdown = withdrawsOnShutdown
        }
    }

    let driver: Driver
    let settings: Settings
    let status: NodeStatus
    let inbox: ReconcilerInbox
    let logger: Logger
    /// Publishes the subnet; called after the device is up and the known peers are in.
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

    /// What the loop keeps between passes.
    struct State {
        var config: NetworkConfig?
        var own: SubnetKey?
        var tracker = DataplaneTracker<IPv4Address>()
        var local: LocalNode?
        /// The device as last prepared; `nil`: it must be (again).
        var prepared: VXLANDevice?
        var hasDumped = false
        var isComplete = false
        var published: SubnetFile?
        var backoff = Backoff(first: .milliseconds(200), limit: .seconds(30))
        var random = SystemRandomNumberGenerator()
    }

    package func run() async throws {
        var state = State()
        let signals = inbox.signals.cancelOnGracefulShutdown()
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            var retry = ContinuousClock.now
            for await _ in signals {
                guard await pass(&state) == .again else {
                    state.backoff.reset()
                    continue
                }
                // One timer at a time, however many passes fail before it fires.
                guard retry <= .now else { continue }
                retry = .now + state.backoff.next(using: &state.random)
                group.addTask { [retry] in
                    try? await Task.sleep(until: retry, clock: .continuous)
                    inbox.wake()
                }
            }
        }
        if settings.withdrawsOnShutdown { await withdraw(&state) }
    }

    private enum PassOutcome {
        case done
        /// Another pass is wanted although nothing may come.
        case again
    }

    private func pass(_ state: inout State) async -> PassOutcome {
        let content = inbox.take()
        let previous = state.local
        take(content, into: &state)
        do {
            try await prepare(&state)
        } catch {
            // What the content said must not be lost: the next pass finds it in the tracker once there is one.
            logger.error("the dataplane can't be set up; trying again", metadata: ["error": "\(error)"])
            status.update { $0.dataplane.problem = error.description }
            if state.local != nil { want(content, since: previous, &state) }
            return .again
        }
        guard state.local != nil else { return .done }
        want(content, since: previous, &state)
        let refused = await apply(&state)
        let isPublished = await publish(&state, refused)
        return refused.isEmpty && isPublished ? .done : .again
    }

    private func take(_ content: ReconcilerInbox.Content, into state: inout State) {
        if case .valid(let config)? = content.config { state.config = config }
        if let own = content.own { state.own = own }
        if content.isComplete { state.isComplete = true }
    }

    /// Puts changed leases into the tracker. When what this node itself is has changed, the leases for which that
    /// makes a difference are looked at anew: those around its own subnet, or all.
    private func want(_ content: ReconcilerInbox.Content, since previous: LocalNode?, _ state: inout State) {
        guard let local = state.local else { return }
        var faults: [SubnetKey: PeerFault?] = [:]
        guard let previous, (previous.backend, previous.usesNextHops) == (local.backend, local.usesNextHops) else {
            state.tracker.unwantAll()
            status.read { snapshot in
                for lease in snapshot.leases.leases {
                    faults[lease.key] = judge(lease, local, &state.tracker)
                }
            }
            setFaults(faults, replacing: true)
            return
        }
        // First everything that goes, judged as it was when it came; what is wanted may share entries with it.
        for change in content.leases.values {
            if let before = change.before, case .success(let entries) = previous.entries(for: before) {
                state.tracker.unwant(entries)
            }
        }
        if previous.key != local.key {
            let around = [previous.key, local.key].compactMap(\.self)
            status.read { snapshot in
                for lease in snapshot.leases.leases where around.contains(where: { $0.overlaps(lease.key) }) {
                    if case .success(let entries) = previous.entries(for: lease) { state.tracker.unwant(entries) }
                    faults[lease.key] = judge(lease, local, &state.tracker)
                }
            }
        }
        for (key, change) in content.leases {
            faults[key] = change.after.flatMap { judge($0, local, &state.tracker) }
        }
        setFaults(faults, replacing: false)
    }

    private func judge(
        _ lease: Lease, _ local: LocalNode, _ tracker: inout DataplaneTracker<IPv4Address>
    ) -> PeerFault? {
        switch local.entries(for: lease) {
        case .success(let entries):
            tracker.want(entries)
            return nil
        case .failure(let fault):
            return fault
        }
    }

    private func setFaults(_ faults: [SubnetKey: PeerFault?], replacing: Bool) {
        let news = status.update { snapshot in
            let known = snapshot.faults
            if replacing { snapshot.faults = [:] }
            var news: [(SubnetKey, PeerFault)] = []
            for (key, fault) in faults {
                guard let fault, fault.isWorthReporting else {
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
