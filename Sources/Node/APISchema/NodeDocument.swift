// SPDX-License-Identifier: Apache-2.0

/// `Node` of openapi.yaml: the node that answers.
package struct NodeDocument: Codable, Hashable, Sendable {
    package var name: String
    /// The daemon's own version.
    package var version: String
    package var publicIP: String?
    package var publicIPv6: String?
    package var phase: PhaseDocument
    /// Whether `/readyz` says so.
    package var ready: Bool
    package var lease: LeaseDocument?
    /// RFC 3339, in UTC: until when the lease is surely alive, as far as the node itself knows.
    package var deadline: String?
    package var backend: BackendDocument?
    /// The VXLAN device's name.
    package var device: String?
    /// The device for IPv6, whose packets have an outer header of their own kind; `null` where there is none.
    package var ipv6Device: String?
    /// What a pod's interface may carry, in bytes.
    package var mtu: Int?
    /// What keeps the node from being ready, and a network config that is not in force; empty where nothing is wrong.
    package var problems: [CheckProblemDocument]

    package init(
        name: String, version: String, publicIP: String?, publicIPv6: String? = nil, phase: PhaseDocument, ready: Bool,
        lease: LeaseDocument?,
        deadline: String?, backend: BackendDocument?, device: String?, ipv6Device: String? = nil, mtu: Int?,
        problems: [CheckProblemDocument]
    ) {
        self.name = name
        self.version = version
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
        self.phase = phase
        self.ready = ready
        self.lease = lease
        self.deadline = deadline
        self.backend = backend
        self.device = device
        self.ipv6Device = ipv6Device
        self.mtu = mtu
        self.problems = problems
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(version, forKey: .version)
        try container.encode(publicIP, forKey: .publicIP)
        try container.encode(publicIPv6, forKey: .publicIPv6)
        try container.encode(phase, forKey: .phase)
        try container.encode(ready, forKey: .ready)
        try container.encode(lease, forKey: .lease)
        try container.encode(deadline, forKey: .deadline)
        try container.encode(backend, forKey: .backend)
        try container.encode(device, forKey: .device)
        try container.encode(ipv6Device, forKey: .ipv6Device)
        try container.encode(mtu, forKey: .mtu)
        try container.encode(problems, forKey: .problems)
    }
}
