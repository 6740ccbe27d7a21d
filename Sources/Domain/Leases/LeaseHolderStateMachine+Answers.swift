// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    package mutating func granted(_ grant: Grant, sentAt: MonotonicTime) -> [LeaseHolderAction] {
        guard case .granting(let attempt) = state, case .grant? = pending else { return [.revoke(grant.id)] }
        answered()
        return claim(attempt, Session(grant, provenAt: sentAt))
    }

    package mutating func committed(
        _ claim: LeaseClaim, _ outcome: ClaimOutcome, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard pending == .commit(claim) else { return [] }
        let isOutdated = isPendingOutdated
        answered()
        if isOutdated { return askAgain(at: now) }
        noteHistory(of: outcome, known: claim.known)
        switch state {
        case .claiming(let attempt, let session):
            return claimAnswered(attempt, session, outcome, in: table, at: now)
        case .held(let held): return rewritten(held, outcome, in: table, at: now)
        default: return []
        }
    }

    private mutating func claimAnswered(
        _ attempt: Attempt, _ session: Session?, _ outcome: ClaimOutcome, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        switch outcome {
        case .claimed(let lease): return claimed(lease, attempt, session, in: table, at: now)
        case .grantGone: return requestGrant(for: attempt)
        case .usedBefore(let past, let records, let revision):
            self.past = past.adding(self.past)
            refusals += 1
            learn(records, at: revision, table)
            guard let config else { return [] }
            return choose(table, config, under: session)
        case .conflict(let records, let revision):
            return claimConflicted(attempt, session, records, at: revision, table, now)
        }
    }

    private mutating func claimed(
        _ lease: Lease, _ attempt: Attempt, _ session: Session?, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        if !awaitsHistory, let other = table[lease.key], other.modRevision > lease.modRevision, !isOwn(other) {
            // The feed was quicker than the answer: the key is another's again.
            return claimConflicted(attempt, session, [.lease(other)], at: table.revision, table, now)
        }
        let replaced = attempt.replaces.map { [LeaseHolderAction.revoke($0)] } ?? []
        if !attempt.isOwn, let config, !fits(lease, config) {
            // The config changed while the claim was under way.
            return replaced + [.report(.unfit(lease.key)), .release(lease)]
                + choose(table, config, under: session)
        }
        if let session, now >= session.deadline {
            // The answer took so long that the lease may be over already: first see that it lives.
            state = .adopting(lease)
            return replaced + send(.renew(session.grant.id))
        }
        return replaced + hold(lease, session, in: table, at: now)
    }

    /// The answer to a renewal: `nil` where the grant is gone.
    package mutating func renewed(
        _ grant: GrantID, _ ttl: Duration?, sentAt: MonotonicTime, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard pending == .renew(grant) else { return [] }
        answered()
        let session = ttl.map { Session(Grant(id: grant, ttl: $0), provenAt: sentAt) }
        switch state {
        case .adopting(let lease): return adopted(lease, session, in: table, at: now)
        case .held(var held):
            guard let session else { return reclaim(held, session: nil) }
            held.session = session
            held.renewAt = renewalTime(session, at: now)
            state = .held(held)
            return [.report(.renewed(until: session.deadline))] + rewrite(at: now)
        default: return []
        }
    }

    private mutating func adopted(
        _ lease: Lease, _ session: Session?, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        lastAnnouncement = lease.announcement
        if let config, !fits(lease, config), reclaimed == nil {
            return [.report(.unfit(lease.key))] + farewell(to: lease) + choose(table, config)
        }
        var attempt = Attempt(key: lease.key, condition: lease.unchanged, isOwn: true)
        guard let session else {
            attempt.condition = .absent
            return requestGrant(for: attempt)
        }
        if !awaitsHistory, let other = table[lease.key], other.modRevision > lease.modRevision, !isMine(other, attempt)
        {
            return claimConflicted(attempt, session, [.lease(other)], at: table.revision, table, now)
        }
        guard session.grant.ttl == settings.ttl else {
            attempt.replaces = session.grant.id
            return requestGrant(for: attempt)
        }
        guard lease.announcement == announcement else { return claim(attempt, session) }
        return hold(lease, session, in: table, at: now)
    }

    /// No answer, or a refusal: the same again after a pause that grows, but never so long that the lease ends
    /// in it without another try.
    package mutating func requestFailed(
        _ request: LeaseHolderRequest, _ error: LeaseStoreError, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard pending == request else { return [] }
        pending = nil
        isPendingOutdated = false
        var pause = backoff.next(using: &random)
        switch (state, request) {
        case (.held(var held), .renew):
            if let session = held.session, now < session.deadline {
                let longest = max(min(.seconds(1), session.grant.ttl / 20), (session.deadline - now) / 4)
                if pause > longest { pause = longest * Double.random(in: 0.5...1, using: &random) }
            }
            held.renewAt = now + pause
            state = .held(held)
        case (.held, _): rewriteAt = now + pause
        default: retryAt = now + pause
        }
        return [.report(.requestFailed(error, pause: pause))]
    }

    package mutating func timerFired(at now: MonotonicTime) -> [LeaseHolderAction] {
        guard let wakeTime, wakeTime <= now else { return [] }
        return askAgain(at: now)
    }

    private mutating func askAgain(at now: MonotonicTime) -> [LeaseHolderAction] {
        switch state {
        case .adopting(let lease): return lease.grantID.map { send(.renew($0)) } ?? []
        case .granting(let attempt): return requestGrant(for: attempt)
        case .claiming(let attempt, let session): return claim(attempt, session)
        case .held(let held):
            if let session = held.session, let renewAt = held.renewAt, renewAt <= now {
                return send(.renew(session.grant.id))
            }
            return rewrite(at: now)
        case .starting, .rangeFull, .stopped: return []
        }
    }

    /// The program ends. The lease stays as it is unless it is to be released; a reservation stays in any case.
    package mutating func shutDown(releasing: Bool) -> [LeaseHolderAction] {
        defer { stop() }
        guard releasing else { return [] }
        let old = reclaimed.map(farewell(to:)) ?? []
        switch state {
        case .held(let held): return farewell(to: held.lease)
        case .adopting(let lease): return old + farewell(to: lease)
        case .claiming(let attempt, let session):
            // The claim may take effect yet: without its grant it can't, or is undone.
            return old + [attempt.replaces, session?.grant.id].compactMap(\.self).map { .revoke($0) }
        case .granting(let attempt): return old + [attempt.replaces].compactMap(\.self).map { .revoke($0) }
        case .starting, .rangeFull, .stopped: return old
        }
    }
}
