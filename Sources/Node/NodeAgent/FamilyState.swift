// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases

/// What the reconciler's loop keeps of one family of addresses between passes.
struct FamilyState<Address: DataplaneAddress> {
    typealias Key = EntryKey<Address>

    var addresses: Set<Address> = []
    /// The device as last prepared; `nil`: it must be (again).
    var prepared: VXLANDevice<Address>? {
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
    var local: LocalNode<Address>?
    /// What the leases mean, against what the kernel has; `nil` before the kernel was first looked at.
    var table: PeerTable<Address>?
    /// What the kernel had at first, until there is a table.
    var unowned: DataplaneTracker<Address>?

    /// What must be looked at anew.
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

    /// A public address that somebody chose and this host had, when it has it no more.
    var lostPublicIP: Address?
    var hadPublicIP = false

    var repairs = RepairCounts()
    /// Why it can't be set up; `nil`: it is.
    var problem: String?
    /// Whether the last pass left the kernel as it should be.
    var isSound = false
    /// Its own, so that one family's trouble makes nothing of the other's wait.
    var backoff = Backoff(first: .milliseconds(50), limit: .seconds(30))

    /// Everything is looked at again: the device, the addresses, the tables.
    mutating func askForAudit() {
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

    /// When it is to be tried again; `nil`: it is sound.
    mutating func retryTime(
        after now: MonotonicTime, using random: inout SystemRandomNumberGenerator
    ) -> MonotonicTime? {
        guard !isSound else {
            backoff.reset()
            return nil
        }
        // A device that waits for the end of a fight has nothing to be tried before.
        if problem != nil, prepared == nil, let end = deviceFight.nextEnd(after: now) { return end }
        return now + backoff.next(using: &random)
    }

    mutating func nextHoldEnd(after now: MonotonicTime) -> MonotonicTime? {
        [refusals.nextEnd(after: now), fights.nextEnd(after: now), deviceFight.nextEnd(after: now)]
            .compactMap(\.self).min()
    }
}

/// What became of a plan.
struct PlanOutcome<Address: DataplaneAddress> {
    /// The picture of the kernel was true.
    var isSound = true
    /// The first of the entries that the kernel refuses, where none was refused before.
    var firstRefusal: (Operation<Address>, DataplaneError)?
    /// Nothing is refused any more.
    var isSettledAgain = false
    /// What others had changed and is as it was.
    var repaired: [Operation<Address>] = []
}

// Specialized for each family, because the reconciler, generic over its driver, is not: there each step of a generic
// one asks the run time for the types again.
extension FamilyState {
    /// What is pending and not held.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    func plan(removing: Bool, at now: MonotonicTime) -> [Operation<Address>] {
        table?.tracker.plan(removing: removing) { refusals.holds($0, at: now) || fights.holds($0, at: now) } ?? []
    }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    mutating func settle(
        _ plan: [Operation<Address>], _ failures: [OperationFailure], at now: MonotonicTime
    ) -> PlanOutcome<Address> {
        var outcome = PlanOutcome<Address>()
        var next = failures.makeIterator()
        var failure = next.next()
        let isWhole = table?.tracker.isWhole(plan) ?? false
        var unsettled: Set<Key> = []
        for (index, operation) in plan.enumerated() {
            if let failed = failure, failed.index == index {
                failure = next.next()
                if failed.error.remedy == .resync { outcome.isSound = false }
                refuse(operation, failed.error, at: now, &outcome)
                unsettled.insert(operation.key)
            } else {
                if !isWhole { table?.tracker.done(operation) }
                finish(operation, &outcome)
            }
        }
        if isWhole { table?.tracker.settleAll(except: unsettled) }
        return outcome
    }

    private mutating func refuse(
        _ operation: Operation<Address>, _ error: DataplaneError, at now: MonotonicTime,
        _ outcome: inout PlanOutcome<Address>
    ) {
        let key = operation.key
        // Where the picture was wrong, the entry itself may be well.
        if error.remedy != .resync { refusals.strike(key, at: now) }
        if refused.isEmpty { outcome.firstRefusal = (operation, error) }
        refused[key] = error.description
    }

    private mutating func finish(_ operation: Operation<Address>, _ outcome: inout PlanOutcome<Address>) {
        let key = operation.key
        if !refused.isEmpty, refused.removeValue(forKey: key) != nil {
            refusals.clear(key)
            if refused.isEmpty { outcome.isSettledAgain = true }
        }
        guard !drifted.isEmpty, drifted.remove(key) != nil else { return }
        repairs.count(key.kind)
        outcome.repaired.append(operation)
    }

    /// Of entries that are as they should be, or that nobody wants any more, nothing is to be told.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    mutating func forgetSettled() {
        guard let tracker = table?.tracker else { return }
        if !drifted.isEmpty { drifted = drifted.filter { tracker.isPending($0) } }
        guard !refused.isEmpty else { return }
        for key in refused.keys where !tracker.isPending(key) {
            refused[key] = nil
            refusals.clear(key)
        }
    }
}
