// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import IPAddressing
import Leases
import NodeAgent

/// What a packet from this node to an address of a lease's subnet meets, in this order, and what is wrong with each.
struct PathSteps {
    private let snapshot: NodeStatus.Snapshot
    private let lease: Lease
    /// Which half of the lease the address is of.
    private let isIPv6: Bool

    init(to address: IPAddress, _ lease: Lease, _ snapshot: NodeStatus.Snapshot) {
        self.lease = lease
        isIPv6 = if case .v6 = address { true } else { false }
        self.snapshot = snapshot
    }

    var documents: [PathStepDocument] {
        let isOwn = lease.key == snapshot.lease?.key
        var steps = [leaseStep(isOwn: isOwn)]
        if let host { steps.append(host) }
        if isOwn {
            steps.append(PathStepDocument(.route, wanted: "\(subnet) on this node", present: "not looked at"))
            return steps
        }
        let entries = entrySteps
        steps += entries
        if !entries.isEmpty, let underlay { steps.append(underlay) }
        return steps
    }

    private func leaseStep(isOwn: Bool) -> PathStepDocument {
        let announcement = lease.announcement
        let holder = announcement.node.map { "\($0) at \(publicIP)" } ?? "\(publicIP)"
        let text = "\(subnet) of \(holder)\(isOwn ? ", this node" : "")"
        return PathStepDocument(
            .lease, wanted: text, present: text,
            problem: fault.map { "the lease is not programmed here: \($0)" })
    }

    /// Only where there is something to say.
    private var host: PathStepDocument? {
        if let problem = snapshot.dataplane.problem {
            return PathStepDocument(.host, wanted: "a dataplane", present: nil, problem: problem)
        }
        guard let fault = snapshot.findings.first(where: { $0.severity == .fault }) else { return nil }
        return PathStepDocument(
            .host, wanted: "a host that lets pods' packets through", present: fault.what,
            problem: "\(fault.what): \(fault.why); try '\(fault.remedy)'")
    }

    /// The kernel's entries, as of the reconciler's last pass.
    private var entrySteps: [PathStepDocument] {
        let peers = DataplanePeers(snapshot)
        guard fault == nil, let entries = peers.entries(of: lease, isIPv6: isIPv6) else { return [] }
        return entries.map { entry in
            let step = Self.step(of: entry.wanted)
            if peers.isCutShort, entry.present == nil {
                let count = snapshot.dataplane.pendingCount
                return PathStepDocument(
                    step, wanted: entry.wanted, present: nil,
                    problem: "\(count) entries are not as they should be, of which this may be one")
            }
            guard !entry.isTrue else { return PathStepDocument(step, wanted: entry.wanted, present: entry.present) }
            let fault =
                entry.present.map { "the kernel has '\($0)' instead of '\(entry.wanted)'" }
                ?? "the kernel has no '\(entry.wanted)'"
            return PathStepDocument(
                step, wanted: entry.wanted, present: entry.present, problem: fault + refusal(of: entry.wanted))
        }
    }

    private func refusal(of entry: String) -> String {
        // A refusal's sentence begins with the entry that it is about.
        snapshot.dataplane.refused.first { $0.hasPrefix(entry.prefix { $0 != "," }) || $0.contains(entry) }
            .map { " (\($0))" } ?? ""
    }

    private static func step(of entry: String) -> PathStepDocument.Name {
        switch entry.prefix(while: { $0 != " " }) {
        case "nexthop": .nextHop
        case "neighbour": .neighbor
        case "fdb": .fdb
        default: .route
        }
    }

    private var underlay: PathStepDocument? {
        PathStepDocument(.underlay, wanted: "to \(publicIP)", present: "not looked at")
    }

    private var fault: String? { isIPv6 ? snapshot.ipv6Faults[lease.key] : snapshot.faults[lease.key] }

    private var subnet: String {
        isIPv6 ? lease.key.ipv6Subnet.map { "\($0)" } ?? "\(lease.subnet)" : "\(lease.subnet)"
    }

    private var publicIP: String {
        let announcement = lease.announcement
        return isIPv6
            ? announcement.publicIPv6.map { "\($0)" } ?? "\(announcement.publicIP)" : "\(announcement.publicIP)"
    }
}
