// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing

/// Something wrong about a lease, alone or beside another.
struct LeaseFault: Codable, Hashable, Sendable {
    /// The lease, by its subnet.
    var subnet: String
    var node: String?
    /// A sentence.
    var fault: String
    /// Who mends it and how, a sentence.
    var remedy: String

    private init(_ lease: LeaseDocument, _ fault: String, _ remedy: String) {
        subnet = lease.subnet
        node = lease.node
        self.fault = fault
        self.remedy = remedy
    }

    /// One that the daemon told.
    init(subnet: String = "-", node: String? = nil, fault: String, remedy: String) {
        self.subnet = subnet
        self.node = node
        self.fault = fault
        self.remedy = remedy
    }

    /// Every fault that the leases show by themselves, by subnet.
    static func among(_ leases: [LeaseDocument], network: NetworkDocument?) -> [LeaseFault] {
        let faults =
            overlaps(leases, { try? IPv4Prefix(parsing: $0.subnet) }) + overlaps(leases, ipv6Subnet)
            + strangers(leases, network)
            + shared(leases, "the VXLAN MAC address", { $0.backend.vtepMAC })
            + shared(
                leases.filter { $0.kind == .lease }, "the public address",
                { $0.publicIP == "0.0.0.0" ? nil : $0.publicIP })
            + shared(leases.filter { $0.kind == .lease }, "the public address", { $0.publicIPv6 })
            + shared(leases.filter { $0.kind == .lease }, "the node name", { $0.node })
        return faults.sorted { ($0.subnet, $0.fault) < ($1.subnet, $1.fault) }
    }

    private static func ipv6Subnet(_ lease: LeaseDocument) -> IPv6Prefix? {
        lease.ipv6Subnet.flatMap { try? IPv6Prefix(parsing: $0) }
    }

    private static func overlaps<Address>(
        _ leases: [LeaseDocument], _ subnet: (LeaseDocument) -> Prefix<Address>?
    ) -> [LeaseFault] {
        let sorted = leases.compactMap { lease in subnet(lease).map { (prefix: $0, lease: lease) } }
            .sorted { $0.prefix < $1.prefix }
        var faults: [LeaseFault] = []
        var widest: (prefix: Prefix<Address>, lease: LeaseDocument)?
        for next in sorted {
            if let before = widest, before.prefix.contains(next.prefix.address) {
                faults.append(
                    LeaseFault(next.lease, "it overlaps \(before.prefix) of \(name(before.lease))", yielding))
            }
            if widest.map({ $0.prefix.last < next.prefix.last }) ?? true { widest = next }
        }
        return faults
    }

    private static func strangers(_ leases: [LeaseDocument], _ network: NetworkDocument?) -> [LeaseFault] {
        guard let range = network?.range, let first = try? IPv4Prefix(parsing: range.first),
            let last = try? IPv4Prefix(parsing: range.last)
        else { return [] }
        return leases.compactMap { lease in
            guard let subnet = try? IPv4Prefix(parsing: lease.subnet) else { return nil }
            if Int(subnet.length) != range.subnetLength {
                return LeaseFault(lease, "it is no /\(range.subnetLength), as the network config has them", moving)
            }
            let isInside = first.address <= subnet.address && subnet.address <= last.address
            return isInside
                ? nil : LeaseFault(lease, "it lies outside the range \(range.first) to \(range.last)", moving)
        }
    }

    private static func shared(
        _ leases: [LeaseDocument], _ what: String, _ key: (LeaseDocument) -> String?
    ) -> [LeaseFault] {
        let withKey = leases.compactMap { lease in key(lease).map { (key: $0, lease: lease) } }
        return Dictionary(grouping: withKey, by: \.key).values.filter { $0.count > 1 }.flatMap { group in
            // The oldest is in the right.
            let sorted = group.sorted { Int64($0.lease.createRevision) ?? 0 < Int64($1.lease.createRevision) ?? 0 }
            return sorted.dropFirst().map { entry in
                LeaseFault(entry.lease, "it has \(what) \(entry.key) of \(sorted[0].lease.subnet)", yielding)
            }
        }
    }

    /// Nothing is taken from a node from here: only it can know whether pods live by the lease.
    private static let yielding =
        "a running tartand that holds the younger lease gives way by itself; otherwise stop the node that is in the "
        + "wrong and free its subnet with 'tartan release'"
    private static let moving =
        "restart its node's daemon, which then moves; if the node is gone, free the subnet with 'tartan release'"

    private static func name(_ lease: LeaseDocument) -> String { lease.node ?? lease.publicIP }
}
