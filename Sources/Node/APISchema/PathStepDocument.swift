// SPDX-License-Identifier: Apache-2.0

/// `PathStep` of openapi.yaml: one thing that a packet to an address meets on its way, and whether it is as it must be.
package struct PathStepDocument: Codable, Hashable, Sendable {
    package enum Name: String, Codable, CaseIterable, Hashable, Sendable {
        /// Whose the address is.
        case lease
        /// What of this host's own is in the way of every packet.
        case host
        case route
        case nextHop
        /// The gateway's MAC address.
        case neighbor
        /// Where that MAC address is.
        case fdb
        /// The outer packet's way to the other node.
        case underlay
    }

    package var step: Name
    /// How it should be.
    package var wanted: String
    /// How it is; `null`: there is nothing.
    package var present: String?
    /// What is wrong with it, the end of a sentence; `null`: nothing.
    package var problem: String?

    package init(_ step: Name, wanted: String, present: String?, problem: String? = nil) {
        self.step = step
        self.wanted = wanted
        self.present = present
        self.problem = problem
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(step, forKey: .step)
        try container.encode(wanted, forKey: .wanted)
        try container.encode(present, forKey: .present)
        try container.encode(problem, forKey: .problem)
    }
}
