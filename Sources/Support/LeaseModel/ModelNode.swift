// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

/// One node of the simulated cluster: its lease holder, what it knows, and what befell it.
struct ModelNode {
    enum Power: Equatable {
        case off
        case running
        case paused(until: Ticks)
    }

    enum Feed {
        case unlisted(startsHistory: Bool)
        /// The last part of a snapshot is on its way.
        case listing(SnapshotPart, history: Int)
        case watching(revision: Int64)
    }

    let name: NodeID
    var address: IPv4Address
    var mac: MACAddress
    /// What the state directory says.
    var remembered: SubnetKey?
    /// How fast its clock runs, in millionths more or less than etcd's; and since when.
    let drift: Int64
    /// Nothing reads this: leases know no wall clock.
    var wall: Ticks = 0

    var machine: LeaseHolderStateMachine
    var power = Power.off
    var isPartitioned = false
    /// Tells the messages of a process from those of the one before it.
    var life = 0
    var table = LeaseTable()
    var reading: ConfigReading?
    var feed = Feed.unlisted(startsHistory: true)
    /// The history of etcd that the feed is of.
    var history = 0
    var isFeedScheduled = false
    var armed: MonotonicTime?
    /// The subnet that the machine said to use.
    var used: SubnetKey?
    private var believesUntil: Ticks = 0
    var startedAt: Ticks = 0
    var heldAt: Ticks = 0
    /// When something last happened to it that may cost it its lease.
    var disturbedAt: Ticks = 0
    /// Somebody took its lease, whether or not it has noticed.
    var isRobbed = false
    var requests = 0
    var conflicts = 0
    var hasFailed = false
    var hasHeld = false
    var isRival = false

    init(number: Int, drift: Int64, seed: UInt64) {
        name = NodeID("n\(number)")
        address = IPv4Address(bits: 0xC0A8_0000 + UInt32(truncatingIfNeeded: number))
        mac = MACAddress(bits: 0x0200_0000_0000 + UInt64(truncatingIfNeeded: number))
        self.drift = drift
        machine = Self.machine(name, address, mac, nil, seed)
    }

    /// A namesake of another node, or one with its address.
    init(name: NodeID, address: IPv4Address, number: Int, drift: Int64, seed: UInt64) {
        self.name = name
        self.address = address
        mac = MACAddress(bits: 0x0200_0000_0000 + UInt64(truncatingIfNeeded: number))
        self.drift = drift
        machine = Self.machine(name, address, mac, nil, seed)
        isRival = true
    }

    private static func machine(
        _ name: NodeID, _ address: IPv4Address, _ mac: MACAddress, _ remembered: SubnetKey?, _ seed: UInt64
    ) -> LeaseHolderStateMachine {
        LeaseHolderStateMachine(
            settings: .init(
                identity: NodeIdentity(node: name, publicIP: address, remembered: remembered, mac: mac),
                carriesTraffic: true, ttl: .microseconds(World.ttl), whenLost: .move), seed: seed)
    }

    /// A new process, which knows nothing but what the state directory says.
    mutating func start(seed: UInt64) {
        machine = Self.machine(name, address, mac, remembered, seed)
        power = .running
        life += 1
        table = LeaseTable()
        reading = nil
        feed = .unlisted(startsHistory: true)
        isFeedScheduled = false
        armed = nil
        believesUntil = 0
        used = nil
        isRobbed = false
        requests = 0
        conflicts = 0
        hasFailed = false
        hasHeld = false
    }

    func localTime(_ now: Ticks) -> MonotonicTime {
        MonotonicTime(sinceStart: .microseconds(now + now / 1_000_000 * drift))
    }

    /// The first moment at which its clock shows that time.
    func globalTime(_ time: MonotonicTime) -> Ticks {
        let local =
            time.sinceStart.components.seconds * 1_000_000
            + time.sinceStart.components.attoseconds / 1_000_000_000_000
        return local - local / 1_000_000 * drift + 2 * abs(drift) + 1
    }

    /// Until when it surely believes in its lease, unless something happens to it.
    mutating func noteBelief() {
        believesUntil = machine.deadline.map { globalTime($0) - 4 * abs(drift) - 2 } ?? 0
    }

    func believes(at now: Ticks) -> Bool {
        guard power != .off else { return false }
        if now < believesUntil { return true }
        switch machine.phase(at: localTime(now)) {
        case .leased, .renewing: return true
        case .starting, .fenced, .stopping: return false
        }
    }

    /// Its own, perhaps from when it had another address, or a reservation for it that it has not taken yet.
    func owns(_ lease: Lease) -> Bool {
        guard lease.announcement.node == name else { return false }
        if case .vxlan(let data?, _) = lease.announcement.backend, data.mac == mac { return true }
        return lease.announcement.publicIP == address
            || lease.grantID == nil && lease.announcement.publicIP == IPv4Address(bits: 0)
    }
}
