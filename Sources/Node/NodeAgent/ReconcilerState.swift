// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases

/// What the reconciler's loop keeps between passes.
struct ReconcilerState {
    typealias Key = EntryKey<IPv4Address>

    var config: NetworkConfig?
    var own: SubnetKey?
    var isComplete = false
    var published: SubnetFile?
    /// A subnet that was lost and that the subnet file may still promise to pods.
    var lost: SubnetKey?
    var hasToldOfIPv6 = false

    var underlay: Underlay
    /// Why the underlay can't be found, or is not what the lease says; `nil`: it is well.
    var underlayProblem: String?
    var addresses: Set<IPv4Address> = []
    /// A public address that somebody chose and this host had, when it has it no more.
    var lostPublicIP: IPv4Address?
    var hadPublicIP = false
    /// The addresses that the lease holder was told last.
    var announcing: (IPv4Address, IPv6Address?)
    /// The device as last prepared; `nil`: it must be (again).
    var prepared: VXLANDevice? {
        didSet {
            guard let prepared else { return }
            (deviceName, deviceMTU) = (prepared.name, prepared.mtu)
        }
    }
    /// Also while it is being mended.
    private(set) var deviceName: String?
    private(set) var deviceMTU: Int?
    /// We removed the device ourselves since the tables were last read.
    var isDeviceRemoved = false
    var local: LocalNode?
    /// What the leases mean, against what the kernel has; `nil` before the kernel was first looked at.
    var table: PeerTable?
    /// What the kernel had at first, until there is a table.
    var unowned: DataplaneTracker<IPv4Address>?

    /// What must be looked at anew.
    var needsUnderlay = false
    var needsAddresses = true
    var needsDump = true
    /// The device was changed by others and has not been mended yet.
    var isDeviceDrifted = false
    /// The underlay's link or address has changed since the tables were last read.
    var isUnderlayDrifted = false

    /// Entries that others changed and that are not as they were yet.
    var drifted: Set<Key> = []
    /// Entries that the kernel refuses, each with the sentence that says so.
    var refused: [Key: String] = [:]
    var refusals = HoldTable<Key>(grace: 0, first: .milliseconds(200), limit: .seconds(30), memory: .seconds(60))
    /// Entries that somebody keeps changing: three repairs at once, then ever later ones.
    var fights = HoldTable<Key>(grace: 3, first: .milliseconds(500), limit: .seconds(30), memory: .seconds(60))
    var deviceFight = HoldTable<String>(
        grace: 3, first: .milliseconds(500), limit: .seconds(30), memory: .seconds(60))

    var repairs = RepairCounts()
    var lastAudit: MonotonicTime?
    var lastProblem: String?
    var backoff = Backoff(first: .milliseconds(50), limit: .seconds(30))
    var random = SystemRandomNumberGenerator()

    init(underlay: Underlay) {
        self.underlay = underlay
        announcing = (underlay.publicIP, underlay.ipv6Address)
    }

    mutating func take(_ content: ReconcilerInbox.Content) {
        if case .valid(let config)? = content.config { self.config = config }
        if let lost = content.lost {
            // The file says so by now: also the same subnet is to be published anew.
            published = nil
            self.lost = lost
        }
        if let own = content.own {
            self.own = own
            if own != nil { lost = nil }
        }
        if content.isComplete { isComplete = true }
        if content.isAuditDue { askForAudit() }
    }

    /// Everything is looked at again: the device, the addresses, the tables.
    mutating func askForAudit() {
        needsUnderlay = true
        needsAddresses = true
        needsDump = true
        prepared = nil
    }

    /// The device was removed because the config wants another, or none.
    mutating func forgetDevice() {
        prepared = nil
        (deviceName, deviceMTU) = (nil, nil)
        isDeviceDrifted = false
        isDeviceRemoved = true
        needsDump = true
    }

    mutating func retryTime(at now: MonotonicTime) -> MonotonicTime { now + backoff.next(using: &random) }

    mutating func nextHoldEnd(after now: MonotonicTime) -> MonotonicTime? {
        [refusals.nextEnd(after: now), fights.nextEnd(after: now), deviceFight.nextEnd(after: now)]
            .compactMap(\.self).min()
    }
}
