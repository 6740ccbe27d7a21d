// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import NodeAgent

/// How many leases of which kind there are, kept true by what changes: a scrape costs the changes since the last one,
/// not the leases.
struct LeaseCensus: Sendable {
    private(set) var leases = 0
    private(set) var reservations = 0
    /// Subnets of the range that leases of the config's own size have.
    private var used = 0
    private var reserved = 0
    /// Leases of another size, or with an IPv6 subnet: two of those may share a subnet of the range.
    private var irregular = 0
    private var mark: LeaseJournal.Mark?
    private var config: NetworkConfig?

    /// Takes in what has changed since the last call.
    mutating func follow(_ snapshot: NodeStatus.Snapshot) {
        let now = snapshot.journal.mark
        var config: NetworkConfig?
        if case .valid(let valid)? = snapshot.config { config = valid }
        let isSame = mark?.generation == now.generation && config == self.config && !snapshot.journal.isCollecting
        if isSame, let mark, let entries = snapshot.journal.entries(after: mark.revision) {
            for entry in entries { for change in entry.changes { take(change) } }
        } else {
            self = LeaseCensus()
            self.config = config
            for lease in snapshot.leases.leases { count(lease, 1) }
        }
        // Between two snapshots the set is of neither: to be counted anew.
        mark = snapshot.journal.isCollecting ? nil : now
    }

    private mutating func take(_ change: LeaseChange) {
        switch change {
        case .added(let lease): count(lease, 1)
        case .updated(let lease, let previous):
            count(previous, -1)
            count(lease, 1)
        case .removed(let lease): count(lease, -1)
        }
    }

    private mutating func count(_ lease: Lease, _ step: Int) {
        if lease.grantID == nil { reservations += step } else { leases += step }
        guard let range = config?.ipv4.range, let length = config?.ipv4.subnetLength else { return }
        let subnet = lease.subnet
        guard subnet.last.bits >= range.first.address.bits, subnet.address.bits <= range.last.last.bits else { return }
        if subnet.length != length || lease.key.ipv6Subnet != nil {
            irregular += step
        } else if lease.grantID == nil {
            reserved += step
        } else {
            used += step
        }
    }

    /// `nil`: there is no config, or leases are not all of its size, which takes a look at each.
    var usage: (used: Int, reserved: Int, free: Int)? {
        guard let config, irregular == 0 else { return nil }
        return (used, reserved, config.subnetCount - used - reserved)
    }
}
