// SPDX-License-Identifier: Apache-2.0

/// `DataplanePeer` of openapi.yaml: what one peer's lease means for this node's kernel, and what the kernel has of it.
package struct DataplanePeerDocument: Codable, Hashable, Sendable {
    /// One route, next hop, neighbour or forwarding entry.
    package struct Entry: Codable, Hashable, Sendable {
        /// As it should be.
        package var wanted: String
        /// As the kernel has it; `null`: it has none.
        package var present: String?

        package init(wanted: String, present: String?) {
            self.wanted = wanted
            self.present = present
        }

        package var isTrue: Bool { wanted == present }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(wanted, forKey: .wanted)
            try container.encode(present, forKey: .present)
        }
    }

    package enum State: String, Codable, CaseIterable, Hashable, Sendable {
        /// The kernel has every entry as it should be.
        case present
        /// Some entry is missing, or another.
        case differs
        /// So many entries differ that they are not told one by one: what is `null` may be there.
        case unknown
        /// The lease is not programmed; `fault` says why.
        case fault
    }

    package var subnet: String
    package var node: String?
    package var state: State
    /// Why the lease is not programmed, the end of a sentence.
    package var fault: String?
    /// In the order in which a packet meets them.
    package var entries: [Entry]

    package init(subnet: String, node: String?, state: State, fault: String?, entries: [Entry]) {
        self.subnet = subnet
        self.node = node
        self.state = state
        self.fault = fault
        self.entries = entries
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(subnet, forKey: .subnet)
        try container.encode(node, forKey: .node)
        try container.encode(state, forKey: .state)
        try container.encode(fault, forKey: .fault)
        try container.encode(entries, forKey: .entries)
    }
}
