// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// The life of one node's lease: what happened goes in, what to do comes out; no clock, no I/O.
///
/// Invariants: at most one request is under way; a key is written only under the condition that it still is as it was
/// read; a subnet is held only while its key was last seen to be this node's, and believed in only until the deadline.
package struct LeaseHolderStateMachine: Sendable {
    package enum WhenLost: Hashable, Sendable {
        /// Lease another subnet.
        case move
        /// End the program.
        case stop
    }

    package struct Settings: Hashable, Sendable {
        package internal(set) var identity: NodeIdentity
        /// Whether this program carries the node's traffic; one that only leases announces no endpoint.
        package let carriesTraffic: Bool
        /// In whole seconds, as etcd counts.
        package let ttl: Duration
        package let whenLost: WhenLost

        package init(identity: NodeIdentity, carriesTraffic: Bool, ttl: Duration, whenLost: WhenLost) {
            self.identity = identity
            self.carriesTraffic = carriesTraffic
            let (seconds, rest) = ttl.components
            self.ttl = .seconds(max(1, rest > 0 ? seconds + 1 : seconds))
            self.whenLost = whenLost
        }
    }

    /// A grant, and until when it surely lives: counted from when the request that proved it was *sent*, and a
    /// thousandth short, as etcd counts by a clock of its own that may run faster than this node's.
    struct Session: Hashable {
        let grant: Grant
        let provenAt: MonotonicTime
        let deadline: MonotonicTime

        init(_ grant: Grant, provenAt sentAt: MonotonicTime) {
            self.grant = grant
            provenAt = sentAt
            deadline = sentAt + (grant.ttl - grant.ttl / 1000)
        }

        /// One of which nothing is known yet.
        init(unproven grant: Grant, at now: MonotonicTime) {
            self.grant = grant
            provenAt = now
            deadline = now
        }
    }

    /// What the node says of itself in a network of that config.
    package static func announcement(of settings: Settings, in config: NetworkConfig) -> LeaseAnnouncement {
        let identity = settings.identity
        let backend: LeaseAnnouncement.Backend =
            switch config.backend {
            case _ where !settings.carriesTraffic: .other("alloc")
            case .vxlan(let vxlan):
                .vxlan(
                    ipv4: config.hasIPv4 && identity.publicIP != .any
                        ? identity.mac.map { VXLANAnnouncement(vni: vxlan.vni, mac: $0) } : nil,
                    ipv6: config.ipv6 != nil && identity.publicIPv6 != nil
                        ? identity.mac.map { VXLANAnnouncement(vni: vxlan.vni, mac: $0.sibling) } : nil)
            case .hostGateway: .hostGateway
            case .none: .other("alloc")
            }
        return LeaseAnnouncement(
            node: identity.node, owner: .tartan, publicIP: identity.publicIP,
            publicIPv6: config.ipv6 == nil ? nil : identity.publicIPv6, backend: backend)
    }

    /// What is being claimed.
    struct Attempt: Hashable {
        var key: SubnetKey
        var condition: LeaseClaim.Condition
        /// Whether this node had the subnet already: then it goes on using it meanwhile.
        var isOwn: Bool
        var reuse = LeaseClaim.Reuse.allowed
        /// The grant that the key hangs on until then.
        var replaces: GrantID?
    }

    struct Held: Hashable {
        var lease: Lease
        /// `nil` for a reservation: nothing to renew.
        var session: Session?
        /// When the next renewal is due.
        var renewAt: MonotonicTime?
        /// The history of etcd that the lease's revisions belong to: the table's, or the one to come.
        var history: Int
    }

    enum State: Hashable {
        case starting
        /// An own lease is there; its grant is asked whether it lives.
        case adopting(Lease)
        case granting(Attempt)
        case claiming(Attempt, Session?)
        case rangeFull
        case held(Held)
        case stopped
    }

    package internal(set) var settings: Settings
    var state: State = .starting
    /// The config in force: the last good one that could be applied.
    package internal(set) var config: NetworkConfig?
    /// What etcd's config said last, in force or not.
    var lastReading: ConfigReading?
    /// The request whose answer is waited for; an answer to any other is stale.
    package internal(set) var pending: LeaseHolderRequest?
    /// The answer to `pending` tells of a history of etcd that is over.
    var isPendingOutdated = false
    var retryAt: MonotonicTime?
    var rewriteAt: MonotonicTime?
    /// Never longer than a sixth of the TTL: etcd that is back must hear of the lease before it ends it.
    var backoff: Backoff
    /// Between answers to somebody who writes this node's key as well.
    var rewriteBackoff = Backoff(first: .seconds(1), limit: .seconds(600))
    var random: SplitMix64
    /// Leases that conflicts told of and that the table may not know yet.
    var learned: [SubnetKey: Revision] = [:]
    /// The newest revision of which everything is known, from the table or from an answer.
    var known: Revision = .zero
    /// The table's history that `known` and the rest are of.
    var history = 0
    /// An answer came from a newer history than the table's: the two can't be compared until the table is of it.
    var awaitsHistory = false
    /// Who had which subnet before, where a claim was told.
    var past: SubnetPast?
    var refusals = 0
    /// Whether the lease was taken over from somebody with this node's name and address, but another MAC.
    var hasTakenOver = false
    /// The last announcement of a lease of this node, for as long as there is no config.
    var lastAnnouncement: LeaseAnnouncement?
    /// The node's present address, where it can't be announced.
    package internal(set) var addressConflict: AddressConflict?
    /// Other leases that were reported, each as it was then.
    var noted: [SubnetKey: Revision] = [:]

    package init(settings: Settings, seed: UInt64) {
        backoff = Backoff(limit: min(.seconds(10), settings.ttl / 6))
        self.settings = settings
        random = SplitMix64(seed: seed)
    }

    /// The lease that the node uses, also while it is being claimed again.
    package var lease: Lease? { held?.lease ?? reclaimed }

    var held: Held? {
        guard case .held(let held) = state else { return nil }
        return held
    }

    /// What the lease is to say; `nil` before anything is known. Without a config a lease from before keeps its
    /// backend, and says who and where this node is now.
    var announcement: LeaseAnnouncement? {
        if let config { return Self.announcement(of: settings, in: config) }
        guard var announcement = lastAnnouncement else { return nil }
        let identity = settings.identity
        announcement.node = identity.node
        announcement.owner = .tartan
        announcement.publicIP = identity.publicIP
        if announcement.publicIPv6 != nil { announcement.publicIPv6 = identity.publicIPv6 }
        if case .vxlan(let ipv4, let ipv6) = announcement.backend, let mac = identity.mac {
            announcement.backend = .vxlan(
                ipv4: ipv4.map { VXLANAnnouncement(vni: $0.vni, mac: mac) },
                ipv6: ipv6.map { VXLANAnnouncement(vni: $0.vni, mac: mac.sibling) })
        }
        return announcement
    }

    /// The lease whose key went away and that is being claimed again, still in use.
    var reclaimed: Lease?

    /// Until when the lease is surely alive; `nil` where it has no end or there is none.
    package var deadline: MonotonicTime? { held?.session?.deadline }

    /// When `timerFired` is wanted; at most one timer runs, and none while a request is under way.
    package var wakeTime: MonotonicTime? {
        guard pending == nil else { return nil }
        guard case .held(let held) = state else { return retryAt }
        guard let renewAt = held.renewAt else { return rewriteAt }
        return rewriteAt.map { min($0, renewAt) } ?? renewAt
    }

    package func phase(at now: MonotonicTime) -> LeasePhase {
        switch state {
        case .starting, .adopting, .granting, .claiming, .rangeFull: return reclaimed == nil ? .starting : .fenced
        case .held(let held):
            if let session = held.session, now >= session.deadline { return .fenced }
            if case .renew? = pending { return .renewing }
            return .leased
        case .stopped: return .stopping
        }
    }
}
