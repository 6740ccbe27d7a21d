// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases

/// What the reconciler's loop keeps between passes.
struct ReconcilerState {
    var config: NetworkConfig?
    var own: SubnetKey?
    var isComplete = false
    var published: SubnetFile?
    /// A subnet that was lost and that the subnet file may still promise to pods.
    var lost: SubnetKey?
    var hasToldOfIPv6 = false
    var hasToldOfFailedIPv6 = false

    var underlay: Underlay
    /// Why the underlay can't be found, or is not what the lease says; `nil`: it is well.
    var underlayProblem: String?
    /// The addresses that the lease holder was told last.
    var announcing: (IPv4Address, IPv6Address?)
    var needsUnderlay = false

    var ipv4 = FamilyState<IPv4Address>()
    var ipv6 = FamilyState<IPv6Address>()

    var lastAudit: MonotonicTime?
    var backoff = Backoff(first: .milliseconds(50), limit: .seconds(30))
    var random = SystemRandomNumberGenerator()

    init(underlay: Underlay) {
        self.underlay = underlay
        announcing = (underlay.publicIP, underlay.publicIPv6)
    }

    /// Why the dataplane as a whole is not true. What is wrong with the underlay is likely to be the cause.
    var problem: String? { underlayProblem ?? ipv4.problem ?? ipv6.problem }

    mutating func take(_ content: ReconcilerInbox.Content) {
        if case .valid(let config)? = content.config { self.config = config }
        if let lost = content.lost {
            // The file says so by now: also the same subnet is to be published anew.
            published = nil
            self.lost = lost
        }
        if let own = content.own {
            self.own = own
            if own != nil { lost = nil }
        }
        if content.isComplete { isComplete = true }
        if content.isAuditDue { askForAudit() }
    }

    /// Everything is looked at again: the underlay, the devices, the addresses, the tables.
    mutating func askForAudit() {
        needsUnderlay = true
        ipv4.askForAudit()
        ipv6.askForAudit()
    }

    mutating func retryTime(at now: MonotonicTime) -> MonotonicTime { now + backoff.next(using: &random) }

    mutating func nextHoldEnd(after now: MonotonicTime) -> MonotonicTime? {
        [ipv4.nextHoldEnd(after: now), ipv6.nextHoldEnd(after: now)].compactMap(\.self).min()
    }
}

/// What both families must know, as of one pass.
struct Situation {
    let config: NetworkConfig
    let own: SubnetKey?
    let isComplete: Bool
    let underlay: Underlay
    let hasUnderlayProblem: Bool

    init?(_ state: ReconcilerState) {
        guard let config = state.config else { return nil }
        self.config = config
        own = state.own
        isComplete = state.isComplete
        underlay = state.underlay
        hasUnderlayProblem = state.underlayProblem != nil
    }

    /// Whether packets of the family go from node to node: the network has it, and so has the underlay, because each
    /// goes by an outer header of its own kind, as flannel's do.
    func carries<Address: DataplaneAddress>(_ family: Address.Type) -> Bool {
        Address.family(of: config) != nil && Address.publicIP(of: underlay) != nil
    }

    /// Whether the family can't be done without: IPv6 in a network that has IPv4 as well can.
    func requires<Address: DataplaneAddress>(_ family: Address.Type) -> Bool {
        Address.self == IPv4Address.self ? config.hasIPv4 : !config.hasIPv4
    }
}
