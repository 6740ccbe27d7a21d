// SPDX-License-Identifier: Apache-2.0

/// The subnets that the node had when it last ran here: pods may still be promised addresses of them.
extension LeaseHolderStateMachine {
    /// The best first.
    var wishes: [SubnetKey] {
        let identity = settings.identity
        let preferred = identity.preferred == identity.remembered ? nil : identity.preferred
        return [identity.remembered, preferred].compactMap(\.self)
    }

    /// At the start: takes back what pods were told of subnets that this node does not have, nor is about to get.
    /// Without a config nothing is chosen yet, and only what is another's is surely none of its own.
    func forgone(in table: LeaseTable) -> [LeaseHolderAction] {
        let own = ownKey
        let taken = config == nil ? table.takenKeys : []
        // One that is in use while it is claimed again is lost, not forgone.
        let used = lease?.key
        return wishes.filter { wish in
            if let used, wish.isPart(of: used) { return false }
            if let own { return !wish.isPart(of: own) }
            return config != nil || taken.contains { $0.overlaps(wish) }
        }.map { .forgo($0) }
    }
}

extension SubnetKey {
    /// Whether each of its subnets is the other's: where the host has no IPv6, pods are told of one half alone.
    fileprivate func isPart(of other: SubnetKey) -> Bool {
        (ipv4Subnet.map { $0 == other.ipv4Subnet } ?? true) && (ipv6Subnet.map { $0 == other.ipv6Subnet } ?? true)
    }
}
