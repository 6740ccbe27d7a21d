// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    /// Puts the lease to use, then looks at what the feed said of its key, and of others, while the answer was on
    /// its way.
    mutating func hold(
        _ lease: Lease, _ session: Session?, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        reclaimed = nil
        pending = nil
        rewriteAt = nil
        past = nil
        refusals = 0
        lastAnnouncement = lease.announcement
        state = .held(
            Held(
                lease: lease, session: session, renewAt: session.map { renewalTime($0, at: now) },
                history: awaitsHistory ? history + 1 : history))
        return [.hold(lease)] + ownKeySeen(in: table, at: now) + othersSeen(table.leases, in: table, at: now)
            + rewrite(at: now)
    }

    /// At a third of the TTL, give or take a tenth of that, so that a cluster's nodes do not renew in step; counted,
    /// as the deadline is, from when the grant was last known to be alive.
    mutating func renewalTime(_ session: Session, at now: MonotonicTime) -> MonotonicTime {
        max(now, session.provenAt + session.grant.ttl / 3 * Double.random(in: 0.9...1.1, using: &random))
    }

    /// What the feed says of the key that this node holds.
    ///
    /// - Parameter isNews: the key is among what just changed.
    mutating func ownKeySeen(in table: LeaseTable, at now: MonotonicTime, isNews: Bool = false) -> [LeaseHolderAction] {
        guard case .held(let held) = state, !awaitsHistory || isNews else { return [] }
        // Of an older history than the table's: whatever the table says is newer.
        let isOld = held.history < table.history || awaitsHistory
        guard let lease = table[held.lease.key] else {
            // An echo of a time before the lease was written says nothing.
            guard isOld || table.revision >= held.lease.modRevision else { return [] }
            return reclaim(held, session: held.session)
        }
        // One that should know of the lease's last write and does not is of another history, which the feed had no way
        // to notice: of this write only the answer told.
        let isUnaware = lease.modRevision < held.lease.modRevision && table.revision >= held.lease.modRevision
        guard isOld || isUnaware || lease.modRevision > held.lease.modRevision else { return [] }
        return ownKeyRead(lease, held, in: table, at: now, isRestored: isOld || isUnaware)
    }

    /// The key that this node holds, as somebody wrote it since; or, where etcd was restored, as it was once.
    private mutating func ownKeyRead(
        _ lease: Lease, _ previous: Held, in table: LeaseTable, at now: MonotonicTime, isRestored: Bool = false
    ) -> [LeaseHolderAction] {
        guard isOwn(lease) || isReservedForThis(lease) || bearsOwnNameAndMAC(lease) else {
            return lose(previous, to: lease, table)
        }
        var held = previous
        held.lease = lease
        held.history = awaitsHistory ? history + 1 : history
        var actions: [LeaseHolderAction] = []
        // A restore is nobody's doing: no pause keeps somebody from writing in turn, and nobody is told of.
        if lease.announcement != announcement, previous.lease.announcement == announcement, !isRestored {
            rewriteAt = now + rewriteBackoff.next(using: &random)
            if !isSelf(lease), lease.grantID != nil {
                let conflict = IdentityConflict(lease: lease, shared: .name)
                if hasTakenOver {
                    state = .held(held)
                    return yield(to: conflict, leaving: nil)
                }
                actions.append(.report(.identityConflict(conflict)))
            }
        }
        guard let grant = lease.grantID else {
            // Made a reservation for this node: there is nothing to renew any more.
            held.session = nil
            held.renewAt = nil
            if case .renew? = pending { pending = nil }
            state = .held(held)
            return actions + rewrite(at: now)
        }
        guard grant == held.session?.grant.id else {
            // It hangs on another grant now: nothing is known of that one before it answers.
            held.session = Session(unproven: Grant(id: grant, ttl: settings.ttl), at: now)
            held.renewAt = now
            state = .held(held)
            return actions + send(.renew(grant))
        }
        state = .held(held)
        return actions + rewrite(at: now)
    }

    /// Says anew what the lease should say, where it says something else; not past the deadline, when the lease may
    /// be another's already.
    mutating func rewrite(at now: MonotonicTime) -> [LeaseHolderAction] {
        guard case .held(let held) = state, let announcement, held.lease.announcement != announcement else {
            rewriteAt = nil
            return []
        }
        guard pending == nil else { return [] }
        if let rewriteAt, now < rewriteAt { return [] }
        rewriteAt = nil
        if let session = held.session, now >= session.deadline { return [] }
        return send(
            .commit(
                LeaseClaim(
                    key: held.lease.key, announcement: announcement, grant: held.session?.grant.id,
                    condition: held.lease.unchanged, known: known)))
    }

    mutating func rewritten(
        _ previous: Held, _ outcome: ClaimOutcome, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        var held = previous
        switch outcome {
        case .claimed(let lease):
            held.lease = lease
            held.history = awaitsHistory ? history + 1 : history
            lastAnnouncement = lease.announcement
            state = .held(held)
            return ownKeySeen(in: table, at: now) + rewrite(at: now)
        case .grantGone: return reclaim(held, session: nil)
        case .conflict(let records, let revision), .usedBefore(_, let records, let revision):
            learn(records, at: revision, table)
            rewriteAt = now + backoff.next(using: &random)
            for case .lease(let lease) in records where lease.key == held.lease.key {
                return ownKeyRead(lease, held, in: table, at: now)
            }
            return reclaim(held, session: held.session)
        }
    }

    /// The key went away under us: the same subnet again, while it is used as before.
    mutating func reclaim(_ held: Held, session: Session?) -> [LeaseHolderAction] {
        reclaimed = held.lease
        rewriteAt = nil
        let attempt = Attempt(key: held.lease.key, condition: .absent, isOwn: true)
        let notice = LeaseHolderAction.report(.reclaiming(held.lease.key))
        guard let session else { return [notice] + requestGrant(for: attempt) }
        return [notice] + claim(attempt, session)
    }

    /// - Parameter givesUp: the key still is this node's, and is given up.
    mutating func lose(
        _ held: Held, to lease: Lease, _ table: LeaseTable, givesUp: Bool = false
    ) -> [LeaseHolderAction] {
        rewriteAt = nil
        let release = givesUp ? [LeaseHolderAction.release(held.lease)] : []
        let actions = release + lost(held.lease.key, to: lease, leaving: nil)
        let revoke = held.session.map { [LeaseHolderAction.revoke($0.grant.id)] } ?? []
        guard state != .stopped else { return revoke + actions }
        guard let config else {
            state = .starting
            return actions + revoke
        }
        return actions + revoke + choose(table, config)
    }

    /// - Parameter session: one with nothing attached to it, given back where the program ends.
    mutating func lost(_ key: SubnetKey, to holder: Lease?, leaving session: Session?) -> [LeaseHolderAction] {
        reclaimed = nil
        hasTakenOver = false
        let actions: [LeaseHolderAction] = [.lost(key, newHolder: holder)]
        guard settings.whenLost == .stop else { return actions }
        stop()
        return actions + (session.map { [.revoke($0.grant.id)] } ?? [])
            + [.stop(.leaseLost(key, newHolder: holder))]
    }

    mutating func stop() {
        state = .stopped
        reclaimed = nil
        pending = nil
        retryAt = nil
        rewriteAt = nil
    }

    /// Gives a lease back; a reservation is its maker's.
    func farewell(to lease: Lease) -> [LeaseHolderAction] {
        guard let grant = lease.grantID else { return [] }
        return [.release(lease), .revoke(grant)]
    }
}
