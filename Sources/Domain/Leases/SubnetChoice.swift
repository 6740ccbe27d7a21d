// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// Which subnet a node asks for next: pure, and made so that a freed one is handed out last.
///
/// In this order: what the node remembers or would like; what it had once, by the notes; one that nobody ever had;
/// and only when these run short the one that was freed longest ago. The notes are not read before they are needed:
/// a first claim only says that it wants no used subnet, and where it meets one the refusal tells of the others.
package struct SubnetChoice: Sendable {
    package struct Pick: Hashable, Sendable {
        package let key: SubnetKey
        package let reuse: LeaseClaim.Reuse

        package init(key: SubnetKey, reuse: LeaseClaim.Reuse) {
            self.key = key
            self.reuse = reuse
        }
    }

    private let node: NodeID
    private let wishes: [SubnetKey]
    private let past: SubnetPast?
    private let refusals: Int

    /// Tries to find one that was never used, before a used one is taken.
    private static let patience = 3

    /// - Parameters:
    ///   - wishes: Subnets that the node had, by its own account.
    ///   - past: What the last refusal told.
    ///   - refusals: How many claims met a used subnet.
    package init(node: NodeID, wishes: [SubnetKey], past: SubnetPast?, refusals: Int) {
        self.node = node
        self.wishes = wishes
        self.past = past
        self.refusals = refusals
    }

    /// `nil` where nothing is free.
    package func pick(in config: NetworkConfig, taken: [SubnetKey]) -> Pick? {
        let free = Free(config, taken: taken)
        if let wish = wishes.first(where: free.has) { return Pick(key: wish, reuse: .allowed) }
        guard let past else { return free.choose(for: node).map { Pick(key: $0, reuse: .never) } }
        let used = past.holders.filter { free.has($0.key) }
        if let own = used.last(where: { $0.node == node }) { return Pick(key: own.key, reuse: .allowed) }
        if refusals < Self.patience || past.count <= config.subnetCount / 2 && refusals < 2 * Self.patience {
            let unused = Free(config, taken: taken + past.holders.map(\.key))
            if let key = unused.choose(for: node) { return Pick(key: key, reuse: .never) }
        }
        if let oldest = used.first { return Pick(key: oldest.key, reuse: .allowed) }
        return free.choose(for: node).map { Pick(key: $0, reuse: .allowed) }
    }

    private struct Free {
        let config: NetworkConfig
        let ipv4: SubnetAllocator<IPv4Address>
        let ipv6: SubnetAllocator<IPv6Address>?

        init(_ config: NetworkConfig, taken: [SubnetKey]) {
            self.config = config
            ipv4 = SubnetAllocator(range: config.ipv4.range, taken: taken.compactMap(\.ipv4Subnet))
            ipv6 = config.ipv6.map { SubnetAllocator(range: $0.range, taken: taken.compactMap(\.ipv6Subnet)) }
        }

        func has(_ key: SubnetKey) -> Bool {
            // Without IPv4 everybody has the same of it: nothing.
            guard config.admits(key), !config.hasIPv4 || ipv4.isFree(key.subnet) else { return false }
            return key.ipv6Subnet.map { ipv6?.isFree($0) ?? false } ?? true
        }

        func choose(for node: NodeID) -> SubnetKey? {
            guard let subnet = config.hasIPv4 ? ipv4.choose(for: node) : .noIPv4 else { return nil }
            guard let ipv6 else { return SubnetKey(subnet) }
            return ipv6.choose(for: node).map { SubnetKey(subnet, ipv6Subnet: $0) }
        }
    }
}
