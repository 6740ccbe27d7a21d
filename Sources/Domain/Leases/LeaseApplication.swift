// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// One node's request for a lease at an authority, by the rules of ``LeaseHolderStateMachine``'s own claims: what
/// happened goes in, what to do comes out; no clock, no I/O.
///
/// Invariants: a name and a public address have one lease; a reservation goes to its node and to nobody else; nothing
/// is written but under the condition that it still is as it was read. What was granted and is of no use in the end is
/// in ``unused``.
package struct LeaseApplication: Sendable {
    package struct Wish: Hashable, Sendable {
        package var node: NodeID
        package var publicIP: IPv4Address
        /// A certain one; else any that is free.
        package var subnet: IPv4Prefix?
        package var ttl: Duration
        /// `nil`: the node says of no backend how it is reached.
        package var backend: LeaseAnnouncement.Backend?

        package init(
            node: NodeID, publicIP: IPv4Address, subnet: IPv4Prefix? = nil, ttl: Duration,
            backend: LeaseAnnouncement.Backend? = nil
        ) {
            self.node = node
            self.publicIP = publicIP
            self.subnet = subnet
            self.ttl = ttl
            self.backend = backend
        }

        var announcement: LeaseAnnouncement {
            LeaseAnnouncement(node: node, owner: .tartan, publicIP: publicIP, backend: backend ?? .other("alloc"))
        }

        /// What a reservation says once it is taken: what the request says nothing of stays as it is. `nil`: the
        /// reservation names a VXLAN device that is not the one that asks.
        func announcement(over reserved: LeaseAnnouncement) -> LeaseAnnouncement? {
            var taken = reserved
            (taken.node, taken.owner, taken.publicIP) = (node, .tartan, publicIP)
            guard let backend else { return taken }
            taken.backend = backend
            guard case .vxlan(let ipv4, let ipv6) = reserved.backend, let mac = ipv4?.mac ?? ipv6?.mac else {
                return taken
            }
            guard case .vxlan(let own?, _) = backend, own.mac == mac || ipv4 == nil && own.mac.sibling == mac else {
                return nil
            }
            taken.backend = .vxlan(ipv4: own, ipv6: ipv6)
            return taken
        }
    }

    package enum Step: Hashable, Sendable {
        /// Answer with ``granted(_:)``.
        case grant(ttl: Duration)
        /// Ask the store what this reservation says now and who proves to hold it; answer with ``proven(_:by:)``.
        case prove(Lease)
        /// Answer with ``answered(_:in:)``.
        case issue(LeaseClaim)
        case leased(Lease)
        case refused(LeaseRefusal)
    }

    package let wish: Wish
    /// Grants to be revoked, with whatever hangs on them.
    package private(set) var unused: [GrantID] = []

    private let identity: NodeIdentity
    private var config: NetworkConfig?
    private var grant: Grant?
    private var pick: Pick?
    private var known = Revision.zero
    private var learned: Set<SubnetKey> = []
    private var inHand: [SubnetKey] = []
    private var past: SubnetPast?
    private var refusals = 0
    private var rounds = 0

    /// Claims before it gives up; each that fails was some other's that succeeded.
    private static let patience = 64

    private struct Pick: Hashable {
        var key: SubnetKey
        var condition = LeaseClaim.Condition.absent
        var reuse = LeaseClaim.Reuse.allowed
        /// A reservation for the node, as it is to be taken: there is nothing to renew.
        var reservation: LeaseAnnouncement?

        var isReservation: Bool { reservation != nil }
    }

    package init(_ wish: Wish) {
        self.wish = wish
        identity = NodeIdentity(node: wish.node, publicIP: wish.publicIP)
    }

    /// - Parameter inHand: subnets that this authority is about to give to others: another is chosen where there is
    ///   one, and nothing is refused for their sake.
    package mutating func start(
        in table: LeaseTable, config reading: ConfigReading, inHand: some Sequence<SubnetKey> = []
    ) -> Step {
        guard case .valid(let config) = reading else { return .refused(.noConfig(reading)) }
        self.config = config
        known = table.revision
        self.inHand = Array(inHand)
        switch identity.find(in: table.leases) {
        case .conflict(let conflict): return .refused(.identityTaken(conflict))
        case .own(let lease) where lease.grantID != nil: return .refused(.hasLease(lease))
        case .own(let lease):
            guard wish.subnet.map({ $0 == lease.subnet }) ?? true else { return .refused(.hasReservation(lease)) }
            guard config.objection(fromHolderOf: lease.key) == nil else { return .refused(.notGivenOut(lease.key)) }
            if let taken = table.takenKeys.first(where: { $0 != lease.key && $0.overlaps(lease.key) }) {
                return .refused(.subnetTaken(taken, by: table[taken]))
            }
            return .prove(lease)
        case .none:
            if let refusal = choose(in: table, config) { return .refused(refusal) }
        }
        return next()
    }

    /// Takes the node's reservation, unless somebody uses it: who asked for it before, and has its token, is answered
    /// without writing anything; anybody else is refused what would take it away from its holder.
    package mutating func proven(_ proof: LeaseProof?, by token: TokenDigest) -> Step {
        guard let proof, proof.lease.grantID == nil, case .own = identity.relation(to: proof.lease) else {
            return refuse(.contended)
        }
        if let holder = proof.token {
            return holder.matches(token) ? .leased(proof.lease) : refuse(.hasLease(proof.lease))
        }
        guard let announcement = wish.announcement(over: proof.lease.announcement) else {
            return refuse(.hasLease(proof.lease))
        }
        pick = Pick(key: proof.lease.key, condition: proof.lease.unchanged, reservation: announcement)
        return next()
    }

    package mutating func granted(_ grant: Grant) -> Step {
        self.grant = grant
        return next()
    }

    package mutating func answered(_ outcome: IssueOutcome, in table: LeaseTable) -> Step {
        rounds += 1
        switch outcome {
        case .issued(let lease, let meanwhile, let revision):
            guard revision > known else { return refuse(.contended) }
            return issued(lease, meanwhile, in: table)
        case .refused(.usedBefore(let past, let records, let revision)):
            self.past = past.adding(self.past)
            refusals += 1
            return again(after: records, at: revision, table)
        case .refused(.conflict(let records, let revision)): return again(after: records, at: revision, table)
        case .refused(.grantGone):
            grant = nil
            return rounds < Self.patience ? next() : refuse(.contended)
        case .refused(.claimed): preconditionFailure("a refusal is no claim")
        }
    }

    /// The node is not to have what it was granted so far, for a reason outside of this.
    package mutating func abandon() {
        if let grant { unused.append(grant.id) }
        grant = nil
    }

    private mutating func next() -> Step {
        guard let pick else { return refuse(.contended) }
        if !pick.isReservation, grant == nil { return .grant(ttl: wish.ttl) }
        return .issue(
            LeaseClaim(
                key: pick.key, announcement: pick.reservation ?? wish.announcement,
                grant: pick.isReservation ? nil : grant?.id,
                condition: pick.condition, known: known, reuse: pick.reuse))
    }

    /// What was written between what was known and this lease is older, and in the right.
    private mutating func issued(_ lease: Lease, _ meanwhile: [LeaseRecord], in table: LeaseTable) -> Step {
        guard lease.grantID != nil else {
            // The reservation was there before, and is its node's.
            abandon()
            return .leased(lease)
        }
        if let refusal = contradiction(among: meanwhile, with: lease.key) { return refuse(refusal) }
        let overlaps = meanwhile.compactMap(\.takenKey).filter { $0 != lease.key && $0.overlaps(lease.key) }
        guard let first = overlaps.first else {
            grant = nil
            return .leased(lease)
        }
        // The whole grant, and the lease with it.
        abandon()
        learned.formUnion(overlaps)
        if wish.subnet != nil { return .refused(.subnetTaken(first, by: meanwhile.lease(of: first))) }
        guard let config, rounds < Self.patience else { return .refused(.contended) }
        return choose(in: table, config).map(Step.refused) ?? next()
    }

    private mutating func again(after records: [LeaseRecord], at revision: Revision, _ table: LeaseTable) -> Step {
        guard let config, let previous = pick, revision >= known, rounds < Self.patience else {
            return refuse(.contended)
        }
        known = revision
        learned.formUnion(records.compactMap(\.takenKey))
        if previous.isReservation { return refuse(.contended) }
        if let refusal = contradiction(among: records, with: nil) { return refuse(refusal) }
        if wish.subnet != nil {
            let key = previous.key
            if let taken = records.compactMap(\.takenKey).first(where: { $0.overlaps(key) }) {
                return refuse(.subnetTaken(taken, by: records.lease(of: taken)))
            }
        }
        return choose(in: table, config).map { refuse($0) } ?? next()
    }

    private func contradiction(among records: [LeaseRecord], with own: SubnetKey?) -> LeaseRefusal? {
        for case .lease(let lease) in records where lease.key != own {
            switch identity.relation(to: lease) {
            case .none: continue
            case .conflict(let conflict): return .identityTaken(conflict)
            // A reservation made meanwhile waits until the node has no lease.
            case .own: if lease.grantID != nil { return .hasLease(lease) }
            }
        }
        return nil
    }

    private mutating func choose(in table: LeaseTable, _ config: NetworkConfig) -> LeaseRefusal? {
        let taken = table.takenKeys + learned
        guard let subnet = wish.subnet else {
            let choice = SubnetChoice(node: wish.node, wishes: [], past: past, refusals: refusals)
            guard
                let found = choice.pick(in: config, taken: taken + inHand) ?? choice.pick(in: config, taken: taken)
            else {
                return .rangeFull(taken: table.count, size: config.subnetCount)
            }
            pick = Pick(key: found.key, reuse: found.reuse)
            return nil
        }
        var key = SubnetKey(subnet)
        if let family = config.ipv6 {
            let allocator = SubnetAllocator(range: family.range, taken: taken.compactMap(\.ipv6Subnet))
            guard let subnet6 = allocator.choose(for: wish.node) else {
                return .rangeFull(taken: table.count, size: config.subnetCount)
            }
            key = SubnetKey(subnet, ipv6Subnet: subnet6)
        }
        guard config.admits(key) else { return .notGivenOut(key) }
        if let holder = taken.first(where: { $0.overlaps(key) }) {
            return .subnetTaken(holder, by: table[holder])
        }
        pick = Pick(key: key)
        return nil
    }

    private mutating func refuse(_ refusal: LeaseRefusal) -> Step {
        abandon()
        return .refused(refusal)
    }
}

extension LeaseRecord {
    /// The subnet that must not be given to anybody else.
    fileprivate var takenKey: SubnetKey? {
        switch self {
        case .lease(let lease): lease.key
        case .unreadable(let bad): bad.key
        case .gone: nil
        }
    }
}

extension [LeaseRecord] {
    fileprivate func lease(of key: SubnetKey) -> Lease? {
        for case .lease(let lease) in self where lease.key == key { return lease }
        return nil
    }
}
