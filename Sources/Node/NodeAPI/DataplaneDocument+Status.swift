// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import Leases
import NodeAgent

extension DataplaneDocument {
    /// All but the peers.
    init(_ snapshot: NodeStatus.Snapshot, at now: MonotonicTime) {
        let dataplane = snapshot.dataplane
        let all = snapshot.faults.map { $0 } + snapshot.ipv6Faults.map { $0 }
        let faults = all.sorted {
            $0.key == $1.key ? $0.value < $1.value : LeaseIndex.precedes($0.key, $1.key)
        }.map { key, reason in
            Fault(subnet: key.text, node: snapshot.leases[key]?.announcement.node?.name, reason: reason)
        }
        self.init(
            device: dataplane.device, ipv6Device: dataplane.ipv6Device, mtu: dataplane.mtu, wanted: dataplane.wanted,
            present: dataplane.present,
            problem: dataplane.problem, refusedCount: dataplane.refusedCount, refused: dataplane.refused,
            fights: dataplane.fights,
            faults: faults, findings: snapshot.findings.map { Finding($0) },
            lastAudit: dataplane.lastAudit.map { LeaseLife.text(of: $0, now: now) },
            repairs: dataplane.repairs.total, pending: dataplane.pendingCount,
            plan: dataplane.pending.flatMap(\.commands))
    }
}

extension DataplaneDocument.Finding {
    init(_ finding: HostFinding) {
        self.init(
            check: finding.check.rawValue, severity: finding.severity.rawValue, what: finding.what, why: finding.why,
            remedy: finding.remedy)
    }
}
