// SPDX-License-Identifier: Apache-2.0

import APISchema
import Leases
import NodeAgent

extension NodeDocument {
    init(_ snapshot: NodeStatus.Snapshot, version: String, at now: MonotonicTime) {
        var problems = snapshot.readiness(at: now).compactMap { check in
            check.problem.map { CheckProblemDocument(check: check.name, problem: $0) }
        }
        let isReady = problems.isEmpty
        // The config before stays in force: pods can be sent traffic all the same.
        if let problem = snapshot.configProblem {
            problems.append(CheckProblemDocument(check: "network-config", problem: problem))
        }
        // Which network the runtime takes is its own affair, and somebody may mean it.
        if let precedence = snapshot.cni?.precedence {
            problems.append(CheckProblemDocument(check: "cni-conflist", problem: precedence))
        }
        self.init(
            name: snapshot.node.name, version: version, publicIP: snapshot.publicIP.map { "\($0)" },
            publicIPv6: snapshot.publicIPv6.map { "\($0)" },
            phase: PhaseDocument(snapshot.phase(at: now)), ready: isReady,
            lease: snapshot.lease.map { LeaseDocument($0, isLocal: true) },
            deadline: snapshot.deadline.map { LeaseLife.text(of: $0, now: now) },
            backend: snapshot.backend, device: snapshot.dataplane.device,
            ipv6Device: snapshot.dataplane.ipv6Device, mtu: snapshot.dataplane.mtu,
            problems: problems)
    }
}

extension NodeStatus.Snapshot {
    /// As the own lease announces it; before there is one, as the config asks for.
    fileprivate var backend: BackendDocument? {
        if let lease { return BackendDocument(lease.announcement.backend) }
        guard case .valid(let config) = config else { return nil }
        guard case .vxlan(let vxlan) = config.backend else { return BackendDocument(type: config.backend.type) }
        return BackendDocument(type: "vxlan", vni: vxlan.vni)
    }
}

extension PhaseDocument {
    init(_ phase: LeasePhase) {
        switch phase {
        case .starting: self = .starting
        case .leased: self = .leased
        case .renewing: self = .renewing
        case .fenced: self = .fenced
        case .stopping: self = .stopping
        }
    }
}
