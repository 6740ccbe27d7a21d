// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What the lease holder's loop is to do next, in this order.
package enum LeaseHolderAction: Hashable, Sendable {
    /// Ask the store; answer with `granted`, `committed`, `renewed` or `requestFailed`.
    case send(LeaseHolderRequest)
    /// Delete a lease that is this node's and of no use any more; no answer is waited for.
    case release(Lease)
    /// End a grant that nothing hangs on; no answer is waited for.
    case revoke(GrantID)
    /// Note for later claimants that the subnet of that lease was freed; no answer is waited for.
    case noteFreed(Lease)
    /// The subnet is this node's: put it to use.
    case hold(Lease)
    /// The subnet is another's now: stop announcing it. `newHolder` is what its key says, where it says anything.
    case lost(SubnetKey, newHolder: Lease?)
    /// A subnet of an earlier run is not this node's now, and was not in use by this one: what pods were told of it
    /// then does not hold any more.
    case forgo(SubnetKey)
    /// Tell the operator.
    case report(LeaseHolderNotice)
    /// End the program for that reason.
    case stop(LeaseHolderStop)
}

/// A question to the store. One is under way at a time.
package enum LeaseHolderRequest: Hashable, Sendable {
    case grant(ttl: Duration)
    case commit(LeaseClaim)
    case renew(GrantID)
}

/// What an operator should know of the lease's life.
package enum LeaseHolderNotice: Hashable, Sendable {
    case claimConflict(SubnetKey, holder: Lease?)
    /// No subnet is free; waiting for one.
    case rangeFull(taken: Int, size: Int)
    case configMissing
    case configInvalid(NetworkConfigError)
    /// A request failed; it is repeated after the pause.
    case requestFailed(LeaseStoreError, pause: Duration)
    /// The grant ended or the key was deleted; the same subnet is claimed again.
    case reclaiming(SubnetKey)
    case renewed(until: MonotonicTime)
    /// The own lease does not fit the network config (any more) and is given up for another.
    case unfit(SubnetKey)
    /// The same while the node runs: the lease is kept until it starts anew.
    case unfitKept(SubnetKey)
    /// A valid config that can't be applied while the node holds its subnet; the one before stays in force.
    case configRefused(NetworkConfigError)
    /// A younger lease bears this node's name or public address; its holder is to yield.
    case identityConflict(IdentityConflict)
    /// The node has those addresses now, and its lease is to say so.
    case addressChanged(IPv4Address, IPv6Address?)
    /// The node has another address now, which another node's lease bears: the former one stays announced.
    case addressTaken(AddressConflict)
    /// Another lease covers (a part of) this node's subnet; the younger of the two is to yield.
    case overlap(Lease)
    /// A reservation was made for this node, which takes it when it has no lease any more.
    case reservationWaits(SubnetKey)
}

/// Why a lease holder ends the program.
package enum LeaseHolderStop: Error, Hashable, Sendable, CustomStringConvertible {
    case identityConflict(IdentityConflict)
    case leaseLost(SubnetKey, newHolder: Lease?)

    package var description: String {
        switch self {
        case .identityConflict(let conflict): return conflict.description
        case .leaseLost(let key, let holder):
            let other = holder?.announcement.node.map { "node '\($0)'" } ?? "another node"
            return "the lease of \(key.text) was lost to \(other); start again to lease another subnet, or run with "
                + "--on-lease-lost move"
        }
    }
}

/// Where the holder stands, in the words of `GET /v1/node`.
package enum LeasePhase: String, Hashable, Sendable {
    case starting
    case leased
    case renewing
    case fenced
    case stopping
}
