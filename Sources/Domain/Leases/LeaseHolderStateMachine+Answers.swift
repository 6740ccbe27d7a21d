// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    package mutating func granted(_ grant: Grant, sentAt: MonotonicTime) -> [LeaseHolderAction] {
        guard case .granting(let attempt) = state, case .grant? = pending else { return [.revoke(grant.id)] }
        answered()
        return claim(attempt, Session(grant: grant, deadline: sentAt + grant.ttl))
    }

    package mutating func committed(
        _ claim: LeaseClaim, _ outcome: ClaimOutcome, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard case .claiming(let attempt, let session) = state, pending == .commit(claim) else { return [] }
        answered()
        switch outcome {
        case .claimed(let lease):
            if let other = table[lease.key], other.modRevision > lease.modRevision, !isOwn(other) {
                // The feed was quicker than the answer: the key is another's again.
                return claimConflicted(attempt, session, [.lease(other)], at: table.revision, table, now)
            }
            return hold(Held(lease: lease, session: session), in: table, at: now)
        case .grantGone:
            return requestGrant(for: attempt)
        case .conflict(let records, let revision):
            return claimConflicted(attempt, session, records, at: revision, table, now)
        }
    }

    /// The answer to a renewal: `nil` where the grant is gone.
    package mutating func renewed(
        _ grant: GrantID, _ ttl: Duration?, sentAt: MonotonicTime, in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard pending == .renew(grant) else { return [] }
        answered()
        switch state {
        case .adopting(let lease):
            let attempt = Attempt(key: lease.key, condition: .unchanged(since: lease.modRevision), isOwn: true)
            guard let grant = lease.grantID, let ttl else {
                return requestGrant(for: Attempt(key: lease.key, condition: .absent, isOwn: true))
            }
            guard ttl == settings.ttl else { return requestGrant(for: attempt) }
            let session = Session(grant: Grant(id: grant, ttl: ttl), deadline: sentAt + ttl)
            if let other = table[lease.key], other.modRevision > lease.modRevision, !isOwn(other) {
                return claimConflicted(attempt, session, [.lease(other)], at: table.revision, table, now)
            }
            guard lease.announcement == announcement else { return claim(attempt, session) }
            return hold(Held(lease: lease, session: session), in: table, at: now)
        case .renewing(var held, _):
            guard let ttl else { return reclaim(held, session: nil) }
            let session = Session(grant: Grant(id: grant, ttl: ttl), deadline: sentAt + ttl)
            held.session = session
            state = .held(held)
            scheduleRenewal(session, at: now)
            return [.report(.renewed(until: session.deadline))]
        default:
            return []
        }
    }

    /// No answer, or a refusal: the same again after a pause that grows.
    package mutating func requestFailed(
        _ request: LeaseHolderRequest, _ error: LeaseStoreError, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard pending == request else { return [] }
        pending = nil
        if case .renewing(let held, _) = state { state = .held(held) }
        let pause = backoff.next(using: &random)
        wakeTime = now + pause
        return [.report(.requestFailed(error, pause: pause))]
    }

    package mutating func timerFired(at now: MonotonicTime) -> [LeaseHolderAction] {
        guard let wakeTime, wakeTime <= now, pending == nil else { return [] }
        self.wakeTime = nil
        switch state {
        case .adopting(let lease): return lease.grantID.map { send(.renew($0)) } ?? []
        case .granting(let attempt): return requestGrant(for: attempt)
        case .claiming(let attempt, let session): return claim(attempt, session)
        case .held(let held):
            guard let session = held.session else { return [] }
            state = .renewing(held, session)
            return send(.renew(session.grant.id))
        case .starting, .rangeFull, .renewing, .stopped: return []
        }
    }

    /// The program ends. The lease stays as it is unless it is to be released.
    package mutating func shutDown(releasing: Bool) -> [LeaseHolderAction] {
        defer {
            state = .stopped
            wakeTime = nil
        }
        guard releasing, let lease else { return [] }
        return [.release(lease.key, at: lease.modRevision)] + (lease.grantID.map { [.revoke($0)] } ?? [])
    }
}
