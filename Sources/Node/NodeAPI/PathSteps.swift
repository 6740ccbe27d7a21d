// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import Leases
import NodeAgent

/// What a packet from this node to a lease's subnet meets, in this order, and what is wrong with each.
struct PathSteps {
    private let snapshot: NodeStatus.Snapshot
    private let lease: Lease

    init(to lease: Lease, _ snapshot: NodeStatus.Snapshot) {
        self.lease = lease
        self.snapshot = snapshot
    }

    var documents: [PathStepDocument] {
        let isOwn = lease.key == snapshot.lease?.key
        var steps = [leaseStep(isOwn: isOwn)]
        if let host { steps.append(host) }
        if isOwn {
            steps.append(PathStepDocument(.route, wanted: "\(lease.subnet) on this node", present: "not looked at"))
            return steps
        }
        let entries = entrySteps
        steps += entries
        if !entries.isEmpty, let underlay { steps.append(underlay) }
        return steps
    }

    private func leaseStep(isOwn: Bool) -> PathStepDocument {
        let announcement = lease.announcement
        let holder = announcement.node.map { "\($0) at \(announcement.publicIP)" } ?? "\(announcement.publicIP)"
        let text = "\(lease.subnet) of \(holder)\(isOwn ? ", this node" : "")"
        return PathStepDocument(
            .lease, wanted: text, present: text,
            problem: snapshot.faults[lease.key].map { "the lease is not programmed here: \($0)" })
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
        guard let document = DataplanePeers(snapshot).document(of: lease) else { return [] }
        return document.entries.map { entry in
            let step = Self.step(of: entry.wanted)
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
        let address = lease.announcement.publicIP
        return PathStepDocument(.underlay, wanted: "to \(address)", present: "not looked at")
    }
}
