// SPDX-License-Identifier: Apache-2.0

/// The life of one node's lease: what happened goes in, what to do comes out; no clock, no I/O.
///
/// Invariants: at most one request is under way; a key is written only under the condition that it still is as it was
/// read; a subnet is held only while its key was last seen to be this node's.
package struct LeaseHolderStateMachine: Sendable {
    package enum WhenLost: Hashable, Sendable {
        /// Lease another subnet.
        case move
        /// End the program.
        case stop
    }

    package struct Settings: Hashable, Sendable {
        package let identity: NodeIdentity
        /// Whether this program carries the node's traffic; one that only leases announces no endpoint.
        package let carriesTraffic: Bool
        package let ttl: Duration
        package let whenLost: WhenLost

        package init(identity: NodeIdentity, carriesTraffic: Bool, ttl: Duration, whenLost: WhenLost) {
            self.identity = identity
            self.carriesTraffic = carriesTraffic
            self.ttl = ttl
            self.whenLost = whenLost
        }
    }

    /// A grant, and until when it surely lives: counted from when the request that proved it was sent.
    struct Session: Hashable {
        let grant: Grant
        var deadline: MonotonicTime
    }

    /// What the node says of itself in a network of that config.
    package static func announcement(of settings: Settings, in config: NetworkConfig) -> LeaseAnnouncement {
        let identity = settings.identity
        let backend: LeaseAnnouncement.Backend =
            switch config.backend {
            case _ where !settings.carriesTraffic: .other("alloc")
            case .vxlan(let vxlan):
                .vxlan(ipv4: identity.mac.map { VXLANAnnouncement(vni: vxlan.vni, mac: $0) }, ipv6: nil)
            case .hostGateway: .hostGateway
            case .none: .other("alloc")
            }
        return LeaseAnnouncement(
            node: identity.node, owner: .tartan, publicIP: identity.publicIP, publicIPv6: identity.publicIPv6,
            backend: backend)
    }

    /// What is being claimed.
    struct Attempt: Hashable {
        var key: SubnetKey
        var condition: LeaseClaim.Condition
        /// Whether this node had the subnet already: then it goes on using it meanwhile.
        var isOwn: Bool
    }

    struct Held: Hashable {
        var lease: Lease
        /// `nil` for a reservation: nothing to renew.
        var session: Session?
    }

    enum State: Hashable {
        case starting
        /// The own lease was found; its grant is asked whether it lives.
        case adopting(Lease)
        case granting(Attempt)
        case claiming(Attempt, Session?)
        case rangeFull
        case held(Held)
        case renewing(Held, Session)
        case stopped
    }

    package let settings: Settings
    var state: State = .starting
    var config: NetworkConfig?
    /// When `timerFired` is wanted; at most one timer runs.
    package internal(set) var wakeTime: MonotonicTime?
    /// The request whose answer is waited for; an answer to any other is stale.
    package internal(set) var pending: LeaseHolderRequest?
    var backoff = Backoff()
    var random: SplitMix64
    /// Leases that conflicts told of and that the table may not know yet.
    var learned: [SubnetKey: Revision] = [:]
    var known: Revision = .zero

    package init(settings: Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(seed: seed)
    }

    /// The lease that the node uses, also while it is being claimed again.
    package var lease: Lease? { held?.lease ?? reclaimed }

    var held: Held? {
        switch state {
        case .held(let held), .renewing(let held, _): held
        default: nil
        }
    }

    /// What the lease is to say; `nil` while there is no config.
    var announcement: LeaseAnnouncement? { config.map { Self.announcement(of: settings, in: $0) } }

    /// The lease whose key went away and that is being claimed again, still in use.
    var reclaimed: Lease?

    /// Until when the lease is surely alive; `nil` where it has no end or there is none.
    package var deadline: MonotonicTime? { held?.session?.deadline }

    package func phase(at now: MonotonicTime) -> LeasePhase {
        switch state {
        case .starting, .adopting, .granting, .claiming, .rangeFull: reclaimed == nil ? .starting : .fenced
        case .held(let held): (held.session.map { now < $0.deadline } ?? true) ? .leased : .fenced
        case .renewing(_, let session): now < session.deadline ? .renewing : .fenced
        case .stopped: .stopping
        }
    }
}
