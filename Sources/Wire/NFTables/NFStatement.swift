// SPDX-License-Identifier: Apache-2.0

/// One statement of a rule, of those that this program writes.
package enum NFStatement: Hashable, Sendable {
    package enum Comparison: String, Hashable, Sendable {
        case `is` = "=="
        case isNot = "!="
    }

    /// `ip saddr 10.244.0.0/16`, `ip6 saddr != …`
    case source(Comparison, NFPrefix)
    /// `ip daddr …`
    case destination(Comparison, NFPrefix)
    /// `meta mark & MASK == VALUE`
    case mark(mask: UInt32, Comparison, UInt32)
    /// To the calling chain, or to the policy: other chains of the hook still have their say.
    case `return`
    /// Gives the packet the address of the interface that it leaves by; `fully-random` chooses a port at random, so that
    /// two processors that choose at once seldom choose the same.
    case masquerade(flags: [String])
    /// Anything else, as libnftables prints it.
    case other(JSONValue)
}

/// A block of addresses of one family.
package struct NFPrefix: Hashable, Sendable {
    package enum Family: String, Hashable, Sendable {
        case ip, ip6

        var width: Int { self == .ip ? 32 : 128 }
    }

    package let family: Family
    /// As inet_ntop(3) writes it.
    package let address: String
    package let length: Int

    package init(_ family: Family, _ address: String, _ length: Int) {
        self.family = family
        self.address = address
        self.length = length
    }
}
