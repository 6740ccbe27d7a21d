// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    /// The set of leases and the config are known as of one revision: at the start, and again whenever the feed had
    /// to list anew.
    package mutating func leasesKnown(
        _ table: LeaseTable, config reading: ConfigReading, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        let complaint = take(reading)
        var actions = complaint.map { [LeaseHolderAction.report($0)] } ?? []
        guard let config else { return actions }
        known = max(known, table.revision)
        switch state {
        case .starting: actions += start(table, config, at: now)
        case .rangeFull: actions += choose(table, config)
        case .held(let held), .renewing(let held, _):
            if table[held.lease.key] != held.lease { actions += ownKeySeen(in: table, at: now) }
        case .granting, .claiming: actions += reclaimedKeySeen(in: table)
        case .adopting, .stopped: break
        }
        return actions
    }

    /// Some leases changed, or the key of an unreadable one went, which is no change of any lease. Only the own key
    /// and, when waiting for one, a freed subnet matter.
    package mutating func leasesChanged(
        _ changes: [LeaseChange], in table: LeaseTable, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        known = max(known, table.revision)
        switch state {
        case .held(let held), .renewing(let held, _):
            guard changes.contains(where: { $0.key == held.lease.key }) else { return [] }
            return ownKeySeen(in: table, at: now)
        case .rangeFull:
            let isFreed = changes.isEmpty || changes.contains { if case .removed = $0 { true } else { false } }
            guard isFreed, let config, freeKey(table, config) != nil else { return [] }
            return choose(table, config)
        case .granting, .claiming: return reclaimedKeySeen(in: table)
        case .starting, .adopting, .stopped: return []
        }
    }

    mutating func take(_ reading: ConfigReading) -> LeaseHolderNotice? {
        switch reading {
        case .valid(let new):
            config = new
            return nil
        case .invalid(let error): return .configInvalid(error)
        case .missing: return .configMissing
        }
    }

    mutating func start(
        _ table: LeaseTable, _ config: NetworkConfig, at now: MonotonicTime
    ) -> [LeaseHolderAction] {
        switch settings.identity.find(in: table.leases) {
        case .conflict(let conflict):
            state = .stopped
            return [.stop(.identityConflict(conflict))]
        case .none:
            return choose(table, config)
        case .own(let lease):
            guard config.admits(lease.key) else {
                return [.report(.unfit(lease.key)), .release(lease.key, at: lease.modRevision)]
                    + choose(table, config)
            }
            return adopt(lease, in: table, at: now)
        }
    }

    mutating func adopt(_ lease: Lease, in table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        guard let grant = lease.grantID else {
            // A reservation for this node: there is nothing to renew.
            if lease.announcement == announcement {
                return hold(Held(lease: lease, session: nil), in: table, at: now)
            }
            return claim(Attempt(key: lease.key, condition: .unchanged(since: lease.modRevision), isOwn: true), nil)
        }
        state = .adopting(lease)
        return send(.renew(grant))
    }

    /// What the feed says of the key that this node holds.
    mutating func ownKeySeen(in table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        guard var held else { return [] }
        guard let lease = table[held.lease.key] else {
            // An echo of a time before the lease was written says nothing.
            guard table.revision >= held.lease.modRevision else { return [] }
            return reclaim(held, session: held.session)
        }
        guard lease.modRevision > held.lease.modRevision else { return [] }
        guard isOwn(lease) else { return lose(held, to: lease, table) }
        held.lease = lease
        guard let grant = lease.grantID else {
            // Made a reservation for this node: there is nothing to renew any more.
            held.session = nil
            state = .held(held)
            pending = nil
            wakeTime = nil
            return []
        }
        guard grant == held.session?.grant.id else {
            // It hangs on another grant now: nothing is known of that one before it answers.
            let session = Session(grant: Grant(id: grant, ttl: settings.ttl), deadline: now)
            held.session = session
            state = .renewing(held, session)
            wakeTime = nil
            return send(.renew(grant))
        }
        if case .renewing(_, let session) = state { state = .renewing(held, session) } else { state = .held(held) }
        return []
    }

    /// What the feed says of the key that this node had and is claiming again. The claim goes on, and will be told
    /// of the conflict; but what is another's is not used in the meantime.
    mutating func reclaimedKeySeen(in table: LeaseTable) -> [LeaseHolderAction] {
        guard let reclaimed, let lease = table[reclaimed.key], lease.modRevision > reclaimed.modRevision,
            !isOwn(lease)
        else { return [] }
        switch state {
        case .granting(var attempt):
            attempt.isOwn = false
            state = .granting(attempt)
        case .claiming(var attempt, let session):
            attempt.isOwn = false
            state = .claiming(attempt, session)
        default: return []
        }
        return lost(reclaimed.key, to: lease)
    }

    func isOwn(_ lease: Lease) -> Bool {
        lease.announcement.node == settings.identity.node && lease.announcement.publicIP == settings.identity.publicIP
    }
}
