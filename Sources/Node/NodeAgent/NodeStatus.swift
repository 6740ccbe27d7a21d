// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
package import Leases
import Synchronization

/// What the node knows and does, published: written by the loops, read by everybody, no waiting on either side.
///
/// A reader gets what was true at one moment. Nothing here reaches etcd or the kernel.
package final class NodeStatus: Sendable {
    private let state: Mutex<Snapshot>

    package init(
        node: NodeID, clock: MonotonicClock, configKey: String = "/coreos.com/network/config",
        metrics: NodeMetrics = NodeMetrics()
    ) {
        state = Mutex(Snapshot(node: node))
        self.clock = clock
        self.metrics = metrics
        startedAt = clock.now
        self.configKey = configKey
        (leaseSignals, leaseSignal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// One element or none, however often the journal of leases or the own subnet has moved on; for one reader.
    package let leaseSignals: AsyncStream<Void>
    private let leaseSignal: AsyncStream<Void>.Continuation

    package let clock: MonotonicClock
    /// What the loops count.
    package let metrics: NodeMetrics
    package let startedAt: MonotonicTime
    /// Where the network config stands in etcd, for sentences that tell of it.
    package let configKey: String

    /// Keep the body short: the loops wait for it. Copying the whole snapshot out makes the next write copy the
    /// lease table.
    package func read<Result: Sendable>(_ body: (Snapshot) -> Result) -> Result {
        state.withLock { body($0) }
    }

    package func update<Result: Sendable>(_ body: (inout Snapshot) -> Result) -> Result {
        let (result, isNews) = state.withLock { snapshot in
            let before = (snapshot.journal.mark, snapshot.lease?.key)
            let result = body(&snapshot)
            return (result, before != (snapshot.journal.mark, snapshot.lease?.key))
        }
        if isNews { leaseSignal.yield() }
        return result
    }

    package struct Snapshot: Sendable {
        package let node: NodeID
        /// The address that the node announces, or will.
        package var publicIP: IPv4Address?
        /// Whether the node has, or is to have, a subnet of its own; an authority need not.
        package var leasesForItself = true
        package var publicIPv6: IPv6Address?
        /// The interface to the peers as it is now, once it is another than at the start.
        package var underlay: Underlay?
        /// The config in force: the last good one that this node could apply; before there was one, what etcd says.
        package var config: ConfigReading?
        /// What etcd's config says now, in force or not.
        package var newestConfig: ConfigReading?
        /// Why the newest config is not the one in force.
        package var configProblem: String?
        package var leases = LeaseTable()
        /// What last changed in ``leases``.
        package var journal = LeaseJournal()
        /// The lease in use.
        package var lease: Lease?
        /// Where the holder stood when it last moved; see ``phase(at:)``.
        package var lastPhase = LeasePhase.starting
        /// For how long a renewal makes the lease live; `nil`: not told.
        package var leaseTTL: Duration?
        /// Until when the lease is surely alive.
        package var deadline: MonotonicTime?
        /// Why the feed of leases can't be believed at the moment.
        package var feedProblem: String?
        /// Since when that is so.
        package var feedProblemSince: MonotonicTime?
        /// What the lease waits for or what the store last refused.
        package var leaseProblem: String?
        /// Why the node's present address is not announced.
        package var addressProblem: String?
        package var dataplane = DataplaneStatus()
        package var masquerade = MasqueradeStatus()
        /// What about the host is in the way, the worst first.
        package var findings: [HostFinding] = []
        package var isSubnetFileWritten = false
        /// Why the subnet file is not as it should be; `nil`: it is, or its time has not come.
        package var subnetFileProblem: String?
        /// `nil`: this daemon does not tell container runtimes of the network.
        package var cni: CNIStatus?
        /// Leases that are not programmed, each with the reason.
        package var faults: [SubnetKey: String] = [:]
        /// The same of the leases' other half, where only that is not programmed.
        package var ipv6Faults: [SubnetKey: String] = [:]

        /// The lease's phase now: past its deadline it is fenced, whether or not the holder has come to say so.
        package func phase(at now: MonotonicTime) -> LeasePhase {
            switch lastPhase {
            case .leased, .renewing: deadline.map { now < $0 } ?? true ? lastPhase : .fenced
            case .starting, .fenced, .stopping: lastPhase
            }
        }

        /// The checks behind `/readyz`, each with what is wrong, `nil` where nothing is.
        package func readiness(at now: MonotonicTime) -> [(name: String, problem: String?)] {
            let phase = phase(at: now)
            let cni = cni.map { [("cni-conflist", $0.readinessProblem)] } ?? []
            let etcd = feedProblem ?? (leases.isComplete ? nil : "the leases have not been read yet")
            guard leasesForItself else {
                let isUsable = if case .valid? = config { true } else { false }
                return [
                    ("etcd", etcd),
                    ("network-config", isUsable ? nil : configProblem ?? "the network config has not been read yet"),
                ]
            }
            return [
                ("etcd", etcd),
                (
                    "lease",
                    phase == .leased || phase == .renewing
                        ? nil : leaseProblem ?? "the node's lease is \(phase.rawValue)"
                ),
                ("dataplane", addressProblem ?? dataplane.problem ?? masquerade.problem),
                (
                    "subnet-file",
                    subnetFileProblem ?? (isSubnetFileWritten ? nil : "the subnet file has not been written yet")
                ),
            ] + cni
        }
    }
}

/// The reconciler's own account.
package struct DataplaneStatus: Hashable, Sendable {
    /// The VXLAN device's name; `nil` where there is none.
    package var device: String?
    /// What a pod's interface may carry, in bytes.
    package var mtu: Int?
    package var wanted = 0
    package var present = 0
    /// What keeps the dataplane as a whole from being true; `nil`: nothing.
    package var problem: String? = "the dataplane has not been set up yet"
    /// Entries that the kernel refused, the first few, each with its reason.
    package var refused: [String] = []
    package var refusedCount = 0
    /// What somebody keeps changing, the first few; repaired ever more slowly.
    package var fights: [String] = []
    /// What others had changed and was put back, since the start.
    package var repairs = RepairCounts()
    /// When the kernel's tables were last read as a whole.
    package var lastAudit: MonotonicTime?
    /// What this node makes of its peers' leases; `nil` before the kernel was first looked at.
    package var local: LocalNode<IPv4Address>?
    /// The same for IPv6; `nil` also where it is not carried.
    package var ipv6Local: LocalNode<IPv6Address>?
    /// IPv6's VXLAN device.
    package var ipv6Device: String?
    /// Where kernel and leases differed after the last pass, the first ``pendingLimit``.
    package var pending: [PendingEntry] = []
    package var pendingCount = 0

    /// How many differing entries are told one by one: more are one cause.
    package static let pendingLimit = 1_000

    package init() {}
}

/// The masquerader's own account.
package struct MasqueradeStatus: Hashable, Sendable {
    /// Why packets that leave the cluster are not masqueraded as they should be; `nil`: they are, or need not be.
    package var problem: String?
    /// How often others changed it and it was put back.
    package var repairs = 0

    package init() {}
}
