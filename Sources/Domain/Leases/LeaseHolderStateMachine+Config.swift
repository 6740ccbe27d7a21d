// SPDX-License-Identifier: Apache-2.0

import IPAddressing

extension LeaseHolderStateMachine {
    /// Takes a new config where it can be applied without dropping the own lease; otherwise says why, once, and goes
    /// on with the last one that could.
    mutating func take(_ reading: ConfigReading) -> [LeaseHolderAction] {
        guard reading != lastReading else { return [] }
        lastReading = reading
        switch reading {
        case .missing: return [.report(.configMissing)]
        case .invalid(let error): return [.report(.configInvalid(error))]
        case .valid(let new):
            if let own = lease?.key, config != nil, let error = new.objection(fromHolderOf: own) {
                return [.report(.configRefused(error))]
            }
            config = new
            rewriteAt = nil
            rewriteBackoff.reset()
            if let own = lease, !fits(own, new) { return [.report(.unfitKept(own.key))] }
            return []
        }
    }

    /// Whether the config lets the node have that lease: a reservation may lie outside of what is given out.
    func fits(_ lease: Lease, _ config: NetworkConfig) -> Bool {
        config.admits(lease.key) || lease.grantID == nil && config.objection(fromHolderOf: lease.key) == nil
    }
}

extension NetworkConfig {
    /// Why a node can't go over to this config while it holds that subnet.
    package func objection(fromHolderOf key: SubnetKey) -> NetworkConfigError? {
        guard hasIPv4 == (key.ipv4Subnet != nil) else {
            return NetworkConfigError(
                field: "EnableIPv4",
                reason: "can't change under a node that holds \(key.text); restart this node's daemon to move it")
        }
        guard network.contains(key.subnet) else {
            return NetworkConfigError(
                field: "Network",
                reason: "\(network) does not hold this node's subnet \(key.subnet); restart this node's daemon to "
                    + "move it, or undo the change")
        }
        switch (ipv6, key.ipv6Subnet) {
        case (nil, nil): return nil
        case (let family?, let subnet?):
            guard !family.network.contains(subnet) else { return nil }
            return NetworkConfigError(
                field: "IPv6Network",
                reason: "\(family.network) does not hold this node's subnet \(subnet); restart this node's daemon to "
                    + "move it, or undo the change")
        default:
            return NetworkConfigError(
                field: "EnableIPv6",
                reason: "can't change under a node that holds \(key.text); restart this node's daemon to move it")
        }
    }
}
