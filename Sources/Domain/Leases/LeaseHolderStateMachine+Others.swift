// SPDX-License-Identifier: Apache-2.0

/// Leases of other keys that touch this node's own: in its name, with its address, or over its subnet.
extension LeaseHolderStateMachine {
    /// What those leases mean for the one that is held or being claimed. Of two that contradict each other the older
    /// stands, so that both sides, who see the same two, decide alike.
    mutating func othersSeen(
        _ leases: some Sequence<Lease>, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard !awaitsHistory, let own = ownKey else { return [] }
        var actions: [LeaseHolderAction] = []
        for (lease, standing) in contradictions(among: leases, own) {
            switch standing {
            case .stranger:
                guard case .held(let held) = state else { continue }
                guard lease.createRevision < held.lease.createRevision else {
                    actions += note(lease, .overlap(lease))
                    continue
                }
                return actions + [.report(.overlap(lease))] + lose(held, to: lease, table, givesUp: held.session != nil)
            case .orphan:
                guard case .held(let held) = state else { continue }
                // A claim of before that took effect late may hang on the very grant that is in use.
                let isShared = lease.grantID == held.session?.grant.id
                actions += isShared ? [.release(lease)] : farewell(to: lease)
            case .reserved: if case .held = state { actions += note(lease, .reservationWaits(lease.key)) }
            case .rival(let conflict):
                if let mine = ownLease(in: table), mine.createRevision < lease.createRevision {
                    actions += note(lease, .identityConflict(conflict))
                } else {
                    return actions + yield(to: conflict, leaving: session)
                }
            }
        }
        return actions
    }

    private enum Standing {
        case stranger
        /// This process's own, or of one before it, and of no use any more.
        case orphan
        /// For this node, once it has no lease.
        case reserved
        case rival(IdentityConflict)
    }

    /// Few, and in an order of their own: what comes of them must not depend on how a table is hashed.
    private func contradictions(
        among leases: some Sequence<Lease>, _ own: SubnetKey
    ) -> [(lease: Lease, standing: Standing)] {
        var found: [(lease: Lease, standing: Standing)] = []
        for lease in leases where lease.key != own {
            let standing = standing(of: lease)
            if case .stranger = standing, !lease.key.overlaps(own) { continue }
            found.append((lease, standing))
        }
        return found.sorted { $0.lease.createRevision < $1.lease.createRevision }
    }

    private func standing(of lease: Lease) -> Standing {
        let identity = settings.identity
        switch identity.relation(to: lease) {
        case .none: return .stranger
        case .conflict(let conflict): return .rival(conflict)
        case .own:
            if lease.grantID == nil { return .reserved }
            if isSelf(lease) || bearsOwnNameAndMAC(lease) { return .orphan }
            let isNamesake = lease.announcement.node == identity.node
            return .rival(IdentityConflict(lease: lease, shared: isNamesake ? .name : .publicIP))
        }
    }

    /// This node's from when it had another address.
    func bearsOwnNameAndMAC(_ lease: Lease) -> Bool {
        lease.announcement.node == settings.identity.node && settings.identity.bearsOwnMAC(lease)
    }

    /// A reservation for this node.
    func isReservedForThis(_ lease: Lease) -> Bool {
        guard lease.grantID == nil, case .own = settings.identity.relation(to: lease) else { return false }
        return true
    }

    /// The key that is held or being claimed.
    package var ownKey: SubnetKey? {
        switch state {
        case .held(let held): held.lease.key
        case .granting(let attempt), .claiming(let attempt, _): attempt.key
        case .adopting(let lease): lease.key
        case .starting, .rangeFull, .stopped: nil
        }
    }

    private var session: Session? {
        guard case .claiming(_, let session) = state else { return nil }
        return session
    }

    /// The own lease, held or, as the feed says, just claimed: the feed tells in order, so that a claim which is not
    /// in the table is younger than everything that is.
    private func ownLease(in table: LeaseTable) -> Lease? {
        if let held { return held.lease }
        guard let key = ownKey, let lease = table[key], isSelf(lease) else { return nil }
        return lease
    }

    private mutating func note(_ lease: Lease, _ notice: LeaseHolderNotice) -> [LeaseHolderAction] {
        guard noted.updateValue(lease.modRevision, forKey: lease.key) != lease.modRevision else { return [] }
        return [.report(notice)]
    }

    /// The node that was here first keeps its lease; this one gives back what it has, and ends.
    mutating func yield(to conflict: IdentityConflict, leaving session: Session?) -> [LeaseHolderAction] {
        var actions: [LeaseHolderAction] = []
        // A twin's grant is the one that this node took over: only the key is left, to whoever has it.
        if let held, !hasTakenOver { actions += farewell(to: held.lease) }
        actions += session.map { [.revoke($0.grant.id)] } ?? []
        reclaimed = nil
        stop()
        return actions + [.stop(.identityConflict(conflict))]
    }
}
