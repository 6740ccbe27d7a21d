// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import NodeAgent

/// The leases as of one revision, by subnet: what a list is a part of.
///
/// Invariant: never changes, so that every page of one list tells of the same moment.
struct LeaseIndex: Sendable {
    let mark: LeaseJournal.Mark
    /// Ascending by key.
    let leases: [Lease]

    var revision: Revision { mark.revision }

    init(mark: LeaseJournal.Mark, leases unsorted: [Lease]) {
        self.mark = mark
        // Numbers are sorted, not leases, which are some two hundred bytes each.
        var order = unsorted.indices.map { (rank: Self.rank(unsorted[$0].key), place: $0) }
        order.sort { left, right in
            left.rank != right.rank
                ? left.rank < right.rank : Self.precedes(unsorted[left.place].key, unsorted[right.place].key)
        }
        leases = order.map { unsorted[$0.place] }
    }

    private init(mark: LeaseJournal.Mark, sorted: [Lease]) {
        self.mark = mark
        leases = sorted
    }

    /// The leases after those changes; costs a copy, not an order.
    func applying(_ changes: some Sequence<LeaseChange>, mark: LeaseJournal.Mark) -> LeaseIndex {
        var leases = leases
        for change in changes {
            let place = Self.place(after: change.key, in: leases)
            let isThere = place > 0 && leases[place - 1].key == change.key
            switch change {
            case .added(let lease), .updated(let lease, _):
                if isThere { leases[place - 1] = lease } else { leases.insert(lease, at: place) }
            case .removed: if isThere { leases.remove(at: place - 1) }
            }
        }
        return LeaseIndex(mark: mark, sorted: leases)
    }

    /// The order of ``SubnetKey`` as one number: address, then the larger block first.
    private static func rank(_ key: SubnetKey) -> UInt64 {
        UInt64(key.subnet.address.bits) << 8 | UInt64(key.subnet.length)
    }

    /// A total order, also over two keys that share their IPv4 subnet.
    static func precedes(_ left: SubnetKey, _ right: SubnetKey) -> Bool {
        if left.subnet != right.subnet { return left.subnet < right.subnet }
        switch (left.ipv6Subnet, right.ipv6Subnet) {
        case (let left?, let right?): return left < right
        case (let left, let right): return left == nil && right != nil
        }
    }

    /// The place of the first lease behind that key.
    func place(after key: SubnetKey) -> Int { Self.place(after: key, in: leases) }

    private static func place(after key: SubnetKey, in leases: [Lease]) -> Int {
        var low = 0
        var high = leases.count
        while low < high {
            let middle = (low + high) / 2
            if precedes(key, leases[middle].key) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The lease of an IPv4 subnet, whatever IPv6 subnet goes with it.
    func lease(of subnet: IPv4Prefix) -> Lease? {
        // What all IPv6-only leases have in common is nobody's subnet.
        guard subnet != .noIPv4 else { return nil }
        let place = place(after: SubnetKey(subnet))
        // The key without an IPv6 subnet is the first of its equals.
        if place > 0, leases[place - 1].subnet == subnet { return leases[place - 1] }
        return place < leases.count && leases[place].subnet == subnet ? leases[place] : nil
    }

    /// The lease of which the key names one subnet of two; `nil` where it names both.
    func lease(like key: SubnetKey) -> Lease? {
        guard let ipv6 = key.ipv6Subnet else { return lease(of: key.subnet) }
        return key.ipv4Subnet == nil ? leases.first { $0.key.ipv6Subnet == ipv6 } : nil
    }

    /// The lease whose subnet has the address; where several do, the smallest.
    func lease(containing address: IPAddress) -> Lease? {
        switch address {
        case .v4(let address):
            leases.filter { $0.key.ipv4Subnet?.contains(address) ?? false }.max { $0.subnet.length < $1.subnet.length }
        case .v6(let address):
            leases.filter { $0.key.ipv6Subnet?.contains(address) ?? false }
                .max { $0.key.ipv6Subnet?.length ?? 0 < $1.key.ipv6Subnet?.length ?? 0 }
        }
    }
}
