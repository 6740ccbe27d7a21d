// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    /// The set of leases and the config are known as of one revision: at the start, whenever the feed had to list
    /// anew, and when the config changed.
    package mutating func leasesKnown(
        _ table: LeaseTable, config reading: ConfigReading, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard state != .stopped else { return [] }
        return listed(table, config: reading, at: now) + addressFreed(in: table, at: now)
    }

    private mutating func listed(
        _ table: LeaseTable, config reading: ConfigReading, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        let isNewHistory = table.history != history
        if isNewHistory {
            history = table.history
            awaitsHistory = false
            known = .zero
            learned = [:]
            noted = [:]
        }
        if !awaitsHistory { known = max(known, table.revision) }
        let actions = take(reading)
        switch state {
        case .starting: return actions + start(table, at: now)
        case .rangeFull: return actions + (config.map { choose(table, $0) } ?? [])
        case .held(let held):
            if isNewHistory, case .commit? = pending { isPendingOutdated = true }
            if isNewHistory, held.history == history, table[held.lease.key] != held.lease {
                // An answer told of the lease before the table came to its history; or to the one after that, who
                // knows: asking for the absent key tells, whoever has it.
                return actions + reclaim(held, session: held.session)
            }
            return actions + ownKeySeen(in: table, at: now) + othersSeen(table.leases, in: table, at: now)
                + rewrite(at: now)
        case .adopting where isNewHistory:
            state = .starting
            pending = nil
            return actions + start(table, at: now)
        case .granting, .claiming:
            if isNewHistory { lookAgain(in: table) }
            return actions + reclaimedKeySeen(in: table, isNewHistory: isNewHistory)
                + othersSeen(table.leases, in: table, at: now) + chooseAgain(table)
        case .adopting, .stopped: return actions
        }
    }

    /// Some leases changed, or the key of an unreadable one went, which is no change of any lease. Only the own key,
    /// leases that contradict the own one and, when waiting for one, a freed subnet matter.
    package mutating func leasesChanged(
        _ changes: [LeaseChange], in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard state != .stopped else { return [] }
        return changed(changes, in: table, at: now) + addressFreed(in: table, at: now)
    }

    private mutating func changed(
        _ changes: [LeaseChange], in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        if !awaitsHistory { known = max(known, table.revision) }
        let present = changes.lazy.compactMap { change -> Lease? in
            switch change {
            case .added(let lease), .updated(let lease, _): lease
            case .removed: nil
            }
        }
        switch state {
        case .held(let held):
            var actions: [LeaseHolderAction] = []
            if changes.contains(where: { $0.key == held.lease.key }) {
                actions += ownKeySeen(in: table, at: now, isNews: true)
            }
            return actions + othersSeen(present, in: table, at: now) + freedSeen(changes, in: table, at: now)
        case .rangeFull:
            let actions = othersSeen(present, in: table, at: now)
            let isFreed = changes.isEmpty || changes.contains { if case .removed = $0 { true } else { false } }
            guard state == .rangeFull, isFreed, let config, freePick(table, config) != nil else { return actions }
            return actions + choose(table, config)
        case .granting, .claiming:
            return reclaimedKeySeen(in: table, isNewHistory: false) + othersSeen(present, in: table, at: now)
        case .starting, .adopting, .stopped: return []
        }
    }

    private mutating func start(_ table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        switch settings.identity.find(in: table.leases) {
        case .conflict(let conflict): return forgone(in: table) + yield(to: conflict, leaving: nil)
        case .none:
            let actions = config.map { choose(table, $0) } ?? []
            return forgone(in: table) + actions
        case .own(let lease):
            if let config, !fits(lease, config) {
                let actions = choose(table, config)
                return [.report(.unfit(lease.key))] + forgone(in: table) + farewell(to: lease) + actions
            }
            hasTakenOver = isOwn(lease) && !isSelf(lease)
            let actions = adopt(lease, in: table, at: now)
            return forgone(in: table) + actions
        }
    }

    private mutating func adopt(_ lease: Lease, in table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        lastAnnouncement = lease.announcement
        guard let grant = lease.grantID else {
            // A reservation for this node: there is nothing to renew.
            if lease.announcement == announcement { return hold(lease, nil, in: table, at: now) }
            return claim(Attempt(key: lease.key, condition: lease.unchanged, isOwn: true), nil)
        }
        state = .adopting(lease)
        return send(.renew(grant))
    }

    /// What the feed says of the key that this node had and is claiming again. The claim goes on, and will be told
    /// of the conflict; but what is another's is not used in the meantime.
    private mutating func reclaimedKeySeen(in table: LeaseTable, isNewHistory: Bool) -> [LeaseHolderAction] {
        guard let reclaimed, let lease = table[reclaimed.key],
            isNewHistory || awaitsHistory || lease.modRevision > reclaimed.modRevision, !isOwn(lease),
            !isReservedForThis(lease), !bearsOwnNameAndMAC(lease)
        else { return [] }
        var session: Session?
        switch state {
        case .granting(var attempt):
            attempt.isOwn = false
            state = .granting(attempt)
        case .claiming(var attempt, let current):
            attempt.isOwn = false
            session = current
            state = .claiming(attempt, current)
        default: return []
        }
        return lost(reclaimed.key, to: lease, leaving: session)
    }

    /// In a new history the revisions of the old one mean nothing: the condition of what is being claimed is read
    /// from the table again, and the answer to a claim of before is of no use.
    private mutating func lookAgain(in table: LeaseTable) {
        func renewedCondition(_ attempt: Attempt) -> Attempt {
            var attempt = attempt
            if let lease = table[attempt.key], isMine(lease, attempt) {
                attempt.condition = lease.unchanged
            } else {
                attempt.condition = .absent
                attempt.replaces = nil
            }
            return attempt
        }
        switch state {
        case .granting(let attempt): state = .granting(renewedCondition(attempt))
        case .claiming(let attempt, let session):
            state = .claiming(renewedCondition(attempt), session)
            if case .commit? = pending { isPendingOutdated = true }
        default: break
        }
    }

    /// Another subnet, where the config that came meanwhile would not give out the one that a grant is awaited for.
    private mutating func chooseAgain(_ table: LeaseTable) -> [LeaseHolderAction] {
        guard case .granting(let attempt) = state, !attempt.isOwn, let config, !config.admits(attempt.key) else {
            return []
        }
        guard let pick = freePick(table, config) else { return choose(table, config) + forgone(in: table) }
        state = .granting(Attempt(key: pick.key, condition: .absent, isOwn: false, reuse: pick.reuse))
        return forgone(in: table)
    }

    /// An answer that is older than what was known when it was asked for comes from another history: etcd was
    /// restored, and the feed has not noticed yet.
    mutating func noteHistory(of outcome: ClaimOutcome, known before: Revision) {
        let isNew =
            switch outcome {
            case .claimed(let lease): lease.modRevision <= before
            case .conflict(_, let revision), .usedBefore(_, _, let revision): revision < before
            case .grantGone: false
            }
        guard isNew, !awaitsHistory else { return }
        awaitsHistory = true
        learned = [:]
        if case .claimed(let lease) = outcome { known = lease.modRevision }
    }

    /// Notes for those who come after when a subnet was freed. Any node that saw it may; with a chance that lets
    /// about three of them try, so that it costs the cluster next to nothing, and works whoever is down.
    private mutating func freedSeen(
        _ changes: [LeaseChange], in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        guard phase(at: now) != .fenced, case .held(let held) = state else { return [] }
        var actions: [LeaseHolderAction] = []
        for case .removed(let lease) in changes where lease.key != held.lease.key && lease.grantID != nil {
            guard table[lease.key] == nil, Int.random(in: 0..<max(1, table.count), using: &random) < 3 else { continue }
            actions.append(.noteFreed(lease))
        }
        return actions
    }
}
