// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    mutating func choose(
        _ table: LeaseTable, _ config: NetworkConfig, under session: Session? = nil
    ) -> [LeaseHolderAction] {
        guard let pick = freePick(table, config) else {
            state = .rangeFull
            pending = nil
            return [.report(.rangeFull(taken: table.count, size: config.subnetCount))]
                + (session.map { [.revoke($0.grant.id)] } ?? [])
        }
        let attempt = Attempt(key: pick.key, condition: .absent, isOwn: false, reuse: pick.reuse)
        guard let session else { return requestGrant(for: attempt) }
        return claim(attempt, session)
    }

    mutating func requestGrant(for attempt: Attempt) -> [LeaseHolderAction] {
        state = .granting(attempt)
        return send(.grant(ttl: settings.ttl))
    }

    mutating func send(_ request: LeaseHolderRequest) -> [LeaseHolderAction] {
        pending = request
        isPendingOutdated = false
        retryAt = nil
        return [.send(request)]
    }

    mutating func answered() {
        pending = nil
        isPendingOutdated = false
        backoff.reset()
    }

    func freePick(_ table: LeaseTable, _ config: NetworkConfig) -> SubnetChoice.Pick? {
        // The table knows of everything up to its revision, also of what was freed since it was learned.
        let news = awaitsHistory ? learned : learned.filter { $0.value > table.revision }
        let choice = SubnetChoice(node: settings.identity.node, wishes: wishes, past: past, refusals: refusals)
        return choice.pick(in: config, taken: table.takenKeys + news.keys)
    }

    mutating func claim(_ attempt: Attempt, _ session: Session?) -> [LeaseHolderAction] {
        guard let announcement else { return [] }
        state = .claiming(attempt, session)
        return send(
            .commit(
                LeaseClaim(
                    key: attempt.key, announcement: announcement, grant: session?.grant.id,
                    condition: attempt.condition, known: known, reuse: attempt.reuse)))
    }

    mutating func learn(_ records: [LeaseRecord], at revision: Revision, _ table: LeaseTable) {
        known = awaitsHistory ? revision : max(known, revision)
        if !awaitsHistory { learned = learned.filter { $0.value > table.revision } }
        for record in records {
            switch record {
            case .lease(let lease): learned[lease.key] = lease.modRevision
            case .unreadable(let bad): if let key = bad.key { learned[key] = bad.modRevision }
            case .gone: break
            }
        }
    }

    mutating func claimConflicted(
        _ attempt: Attempt, _ session: Session?, _ records: [LeaseRecord], at revision: Revision,
        _ table: LeaseTable, _ now: MonotonicTime
    ) -> [LeaseHolderAction] {
        learn(records, at: revision, table)
        var holder: Lease?
        var isUnreadable = false
        for record in records {
            switch record {
            case .lease(let lease) where lease.key == attempt.key: holder = lease
            case .unreadable(let bad) where bad.key == attempt.key: isUnreadable = true
            default: break
            }
        }
        if let holder {
            if isMine(holder, attempt) { return claimOwn(holder, attempt, session, table, now) }
            if isOwn(holder) {
                // Another machine with this one's name and address was quicker.
                return yield(to: IdentityConflict(lease: holder, shared: .name), leaving: session)
            }
        }
        if holder == nil, attempt.condition != .absent, !isUnreadable {
            // What was to be changed is gone: nobody has the subnet.
            var attempt = attempt
            attempt.condition = .absent
            attempt.replaces = nil
            return session == nil ? requestGrant(for: attempt) : claim(attempt, session)
        }
        if holder == nil { learned[attempt.key] = revision }
        var actions: [LeaseHolderAction] = [.report(.claimConflict(attempt.key, holder: holder))]
        if attempt.isOwn {
            actions += lost(attempt.key, to: holder, leaving: session)
            guard state != .stopped else { return actions }
        } else if wishes.contains(attempt.key), attempt.key != lease?.key {
            actions.append(.forgo(attempt.key))
        }
        guard let config else {
            state = .starting
            return actions + (session.map { [.revoke($0.grant.id)] } ?? [])
        }
        return actions + choose(table, config, under: session)
    }

    /// The key that was to be written is this node's already: by an earlier commit whose answer was lost, in an
    /// older form, or as a reservation, which it stays.
    private mutating func claimOwn(
        _ holder: Lease, _ attempt: Attempt, _ session: Session?, _ table: LeaseTable, _ now: MonotonicTime
    ) -> [LeaseHolderAction] {
        let kept = holder.grantID == nil ? nil : session
        let unused = kept == nil ? session.map { [LeaseHolderAction.revoke($0.grant.id)] } ?? [] : []
        if holder.grantID == kept?.grant.id, holder.announcement == announcement {
            guard let kept, now >= kept.deadline else { return unused + hold(holder, kept, in: table, at: now) }
            state = .adopting(holder)
            return send(.renew(kept.grant.id))
        }
        var attempt = attempt
        attempt.condition = holder.unchanged
        attempt.reuse = .allowed
        attempt.replaces = holder.grantID == kept?.grant.id ? nil : holder.grantID
        if holder.grantID != nil, session == nil { return requestGrant(for: attempt) }
        return unused + claim(attempt, kept)
    }

    /// An own key, as this process would have written it: same name, same address, same MAC where both have one.
    func isSelf(_ lease: Lease) -> Bool { settings.identity.isSelf(lease) }

    /// A key in this node's name and with its address.
    func isOwn(_ lease: Lease) -> Bool { settings.identity.isNamedAndPlaced(lease) }

    /// Whether a lease that stands where one is to be claimed is to be taken for this node's: one that was its own
    /// before, or a reservation for it, by any proof; one that turned up meanwhile only if this process made it.
    func isMine(_ lease: Lease, _ attempt: Attempt) -> Bool {
        if isSelf(lease) { return true }
        guard attempt.isOwn || lease.grantID == nil, case .own = settings.identity.relation(to: lease) else {
            return false
        }
        return true
    }
}
