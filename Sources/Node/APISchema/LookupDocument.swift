// SPDX-License-Identifier: Apache-2.0

/// `Lookup` of openapi.yaml: whose address it is, and the way there from the node that answers.
package struct LookupDocument: Codable, Hashable, Sendable {
    package var ip: String
    /// Whether it is within the cluster's network.
    package var inNetwork: Bool
    /// The lease whose subnet has it; `null`: nobody's.
    package var lease: LeaseDocument?
    /// `null` where there is none.
    package var path: PathDocument?
    /// What a packet meets on its way, in this order, as far as this node can tell; without the host's own where nothing
    /// is wrong with it.
    package var steps: [PathStepDocument]
    /// Why there is no way, or what is wrong with it; `null`: nothing.
    package var problem: String?

    package init(
        ip: String, inNetwork: Bool, lease: LeaseDocument?, path: PathDocument?, steps: [PathStepDocument] = [],
        problem: String?
    ) {
        self.ip = ip
        self.inNetwork = inNetwork
        self.lease = lease
        self.path = path
        self.steps = steps
        self.problem = problem
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ip, forKey: .ip)
        try container.encode(inNetwork, forKey: .inNetwork)
        try container.encode(lease, forKey: .lease)
        try container.encode(path, forKey: .path)
        try container.encode(steps, forKey: .steps)
        try container.encode(problem, forKey: .problem)
    }
}
