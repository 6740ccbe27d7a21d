// SPDX-License-Identifier: Apache-2.0

/// A table of nftables with its chains (nft(8)).
///
/// What is written and what is read back are the same value: what differs only in how libnftables prints it is evened
/// out when reading, and what this program never writes is kept as it was printed, so that it makes a difference.
package struct NFTable: Hashable, Sendable, CustomStringConvertible {
    package enum Family: String, Hashable, Sendable {
        case ip, ip6, inet, arp, bridge, netdev
    }

    package struct ID: Hashable, Sendable, CustomStringConvertible {
        package let family: Family
        package let name: String

        package init(_ family: Family, _ name: String) {
            self.family = family
            self.name = name
        }

        package var description: String { "table \(family.rawValue) \(name)" }
    }

    package let id: ID
    package var chains: [NFChain]
    /// `dormant` takes a table out of the packets' way.
    package var flags: [String]
    /// Sets, maps, counters and the like.
    package var others: [JSONValue] = []

    package init(_ id: ID, chains: [NFChain] = [], flags: [String] = []) {
        self.id = id
        self.chains = chains
        self.flags = flags
    }

    package var description: String { id.description }
}

/// A chain of rules, in the packets' way if it has a hook.
package struct NFChain: Hashable, Sendable {
    package enum Policy: String, Hashable, Sendable {
        case accept, drop
    }

    /// Where the chain hooks into the packets' way.
    package struct Base: Hashable, Sendable {
        /// `nat`, `filter` or `route`.
        package var type: String
        /// `postrouting`, `forward`, …
        package var hook: String
        /// Chains of one hook are run from low to high; `srcnat` is 100, `filter` 0.
        package var priority: Int
        package var policy: Policy

        package init(type: String, hook: String, priority: Int, policy: Policy = .accept) {
            self.type = type
            self.hook = hook
            self.priority = priority
            self.policy = policy
        }
    }

    package var name: String
    package var base: Base?
    package var rules: [NFRule]

    package init(_ name: String, base: Base? = nil, rules: [NFRule] = []) {
        self.name = name
        self.base = base
        self.rules = rules
    }
}

/// Statements that are run one after another until one does not match.
package struct NFRule: Hashable, Sendable {
    package var statements: [NFStatement]
    /// Shown by `nft list`.
    package var comment: String?

    package init(_ statements: NFStatement..., comment: String? = nil) {
        self.init(statements: statements, comment: comment)
    }

    package init(statements: [NFStatement], comment: String?) {
        self.statements = statements
        self.comment = comment
    }
}
