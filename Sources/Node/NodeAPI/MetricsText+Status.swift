// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import Leases
import NodeAgent

extension MetricsText {
    /// How the node and its lease stand.
    mutating func node(_ snapshot: NodeStatus.Snapshot, at now: MonotonicTime, startedAt: MonotonicTime) {
        family("tartan_node_phase", .gauge, "1 for the phase that this node's lease is in, 0 for the others.")
        let phase = snapshot.phase(at: now).rawValue
        for name in PhaseDocument.allCases.map(\.rawValue) {
            sample("tartan_node_phase", labels: "phase=\"\(name)\"", name == phase ? 1 : 0)
        }
        family("tartan_node_ready", .gauge, "1 where a check of /readyz passes, 0 where it does not.")
        for check in snapshot.readiness(at: now) {
            sample("tartan_node_ready", labels: "check=\"\(check.name)\"", check.problem == nil ? 1 : 0)
        }
        if let ttl = snapshot.leaseTTL {
            gauge("tartan_lease_ttl_seconds", "For how long a renewal makes this node's lease live.", ttl.seconds)
        }
        if let deadline = snapshot.deadline {
            gauge(
                "tartan_lease_deadline_seconds",
                "Until when this node's lease surely lives, from now; negative once that is over.",
                (deadline - now).seconds)
        }
        gauge(
            "tartan_network_config_problem", "1 while etcd's network config is not the one in force.",
            snapshot.configProblem == nil ? 0 : 1)
        gauge(
            "tartan_watch_revision", "etcd's revision that this node's leases are of.",
            Double(snapshot.leases.revision.value))
        let lag =
            snapshot.feedProblemSince.map { now - $0 } ?? (snapshot.leases.isComplete ? .zero : now - startedAt)
        gauge("tartan_watch_lag_seconds", "For how long etcd has not been followed; 0 while it is.", lag.seconds)
    }

    /// How the kernel stands to the leases.
    mutating func kernel(_ snapshot: NodeStatus.Snapshot, at now: MonotonicTime) {
        let dataplane = snapshot.dataplane
        family("tartan_kernel_entries", .gauge, "Entries that the leases ask for, that are there, that were refused.")
        for (state, count) in [
            ("wanted", dataplane.wanted), ("present", dataplane.present), ("refused", dataplane.refusedCount),
        ] {
            sample("tartan_kernel_entries", labels: "state=\"\(state)\"", count)
        }
        family("tartan_kernel_repairs_total", .counter, "What others had changed in the kernel and was put back.")
        let repairs = dataplane.repairs
        for (kind, count) in [
            ("device", repairs.device), ("neighbor", repairs.neighbors), ("fdb", repairs.fdb),
            ("nexthop", repairs.nextHops), ("route", repairs.routes), ("masquerade", snapshot.masquerade.repairs),
        ] {
            sample("tartan_kernel_repairs_total", labels: "kind=\"\(kind)\"", count)
        }
        if let audit = dataplane.lastAudit {
            gauge(
                "tartan_kernel_audit_age_seconds", "How long ago the kernel's tables were last read as a whole.",
                (now - audit).seconds)
        }
        family("tartan_host_findings", .gauge, "What about the host is in the way of pods' traffic, by severity.")
        for severity in HostFinding.Severity.allCases {
            sample(
                "tartan_host_findings", labels: "severity=\"\(severity.rawValue)\"",
                snapshot.findings.count { $0.severity == severity })
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
