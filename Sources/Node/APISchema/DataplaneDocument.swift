// SPDX-License-Identifier: Apache-2.0

/// `Dataplane` of openapi.yaml: what should be in this node's kernel and what is, as of the reconciler's last pass.
package struct DataplaneDocument: Codable, Hashable, Sendable {
    /// A lease that is not programmed.
    package struct Fault: Codable, Hashable, Sendable {
        package var subnet: String
        package var node: String?
        /// The end of a sentence.
        package var reason: String

        package init(subnet: String, node: String?, reason: String) {
            self.subnet = subnet
            self.node = node
            self.reason = reason
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(subnet, forKey: .subnet)
            try container.encode(node, forKey: .node)
            try container.encode(reason, forKey: .reason)
        }
    }

    /// Something about the host that is in the pods' way.
    package struct Finding: Codable, Hashable, Sendable {
        /// What was looked at, such as `forwarding`.
        package var check: String
        /// `note`, `warning` or `fault`.
        package var severity: String
        package var what: String
        package var why: String
        /// A command that a person could type.
        package var remedy: String

        package init(check: String, severity: String, what: String, why: String, remedy: String) {
            self.check = check
            self.severity = severity
            self.what = what
            self.why = why
            self.remedy = remedy
        }
    }

    /// The VXLAN device's name; `null` where there is none.
    package var device: String?
    /// The device for IPv6; `null` where there is none.
    package var ipv6Device: String?
    package var mtu: Int?
    /// Neighbours, FDB entries, next hops and routes together.
    package var wanted: Int
    package var present: Int
    /// What keeps the dataplane as a whole from being true; `null`: nothing.
    package var problem: String?
    /// How many entries the kernel refused in the last pass.
    package var refusedCount: Int
    /// The first of them, each with its reason.
    package var refused: [String]
    /// What another program keeps changing, the first few: it is put back ever more slowly.
    package var fights: [String]
    package var faults: [Fault]
    /// The worst first.
    package var findings: [Finding]
    /// RFC 3339, in UTC; `null` before the first audit.
    package var lastAudit: String?
    /// Entries that had drifted and were put right since the daemon's start; `null` where nobody counts.
    package var repairs: Int?
    /// Each peer by itself, ordered by subnet; those of them that were asked for.
    package var peers: [DataplanePeerDocument]
    /// How many entries differ after the last pass, of peers and of nobody.
    package var pending: Int
    /// What a person would type to make the kernel as the leases say, in this order, for the first thousand entries
    /// that differ; empty: nothing differs.
    package var plan: [String]

    package init(
        device: String?, ipv6Device: String? = nil, mtu: Int?, wanted: Int, present: Int, problem: String?,
        refusedCount: Int, refused: [String], fights: [String] = [], faults: [Fault], findings: [Finding] = [],
        lastAudit: String? = nil, repairs: Int? = nil,
        peers: [DataplanePeerDocument] = [], pending: Int = 0, plan: [String] = []
    ) {
        self.device = device
        self.ipv6Device = ipv6Device
        self.mtu = mtu
        self.wanted = wanted
        self.present = present
        self.problem = problem
        self.refusedCount = refusedCount
        self.refused = refused
        self.fights = fights
        self.faults = faults
        self.findings = findings
        self.lastAudit = lastAudit
        self.repairs = repairs
        self.peers = peers
        self.pending = pending
        self.plan = plan
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(device, forKey: .device)
        try container.encode(ipv6Device, forKey: .ipv6Device)
        try container.encode(mtu, forKey: .mtu)
        try container.encode(wanted, forKey: .wanted)
        try container.encode(present, forKey: .present)
        try container.encode(problem, forKey: .problem)
        try container.encode(refusedCount, forKey: .refusedCount)
        try container.encode(refused, forKey: .refused)
        try container.encode(fights, forKey: .fights)
        try container.encode(faults, forKey: .faults)
        try container.encode(findings, forKey: .findings)
        try container.encode(lastAudit, forKey: .lastAudit)
        try container.encode(repairs, forKey: .repairs)
        try container.encode(peers, forKey: .peers)
        try container.encode(pending, forKey: .pending)
        try container.encode(plan, forKey: .plan)
    }
}
