// SPDX-License-Identifier: Apache-2.0

/// What is remembered of subnets that had a holder: kept beside the leases, one note a subnet, written by the claim
/// and again when somebody sees the lease end.
package struct SubnetPast: Hashable, Sendable {
    package struct Holder: Hashable, Sendable {
        package let key: SubnetKey
        /// Who had it last, where that is known.
        package let node: NodeID?

        package init(key: SubnetKey, node: NodeID?) {
            self.key = key
            self.node = node
        }
    }

    /// The one whose note is oldest first, and so the one freed longest ago; perhaps only the first few hundred, and behind
    /// them the one that was asked for.
    package let holders: [Holder]
    /// How many there are in all.
    package let count: Int

    package init(holders: [Holder], count: Int) {
        self.holders = holders
        self.count = count
    }

    /// With what an earlier answer told of others.
    package func adding(_ earlier: SubnetPast?) -> SubnetPast {
        guard let earlier else { return self }
        let known = Set(holders.map(\.key))
        return SubnetPast(holders: holders + earlier.holders.filter { !known.contains($0.key) }, count: count)
    }
}
