// SPDX-License-Identifier: Apache-2.0

extension LeaseHolderStateMachine {
    mutating func choose(_ table: LeaseTable, _ config: NetworkConfig) -> [LeaseHolderAction] {
        guard let key = freeKey(table, config) else {
            state = .rangeFull
            return [.report(.rangeFull(taken: table.count, size: config.subnetCount))]
        }
        return requestGrant(for: Attempt(key: key, condition: .absent, isOwn: false))
    }

    mutating func requestGrant(for attempt: Attempt) -> [LeaseHolderAction] {
        state = .granting(attempt)
        return send(.grant(ttl: settings.ttl))
    }

    mutating func send(_ request: LeaseHolderRequest) -> [LeaseHolderAction] {
        pending = request
        return [.send(request)]
    }

    mutating func answered() {
        pending = nil
        backoff.reset()
    }

    func freeKey(_ table: LeaseTable, _ config: NetworkConfig) -> SubnetKey? {
        // The table knows of everything up to its revision, also of what was freed since it was learned.
        let taken = table.takenKeys + learned.filter { $0.value > table.revision }.keys
        let ipv4 = SubnetAllocator(range: config.ipv4.range, taken: taken.map(\.subnet))
        let ipv6 = config.ipv6.map { SubnetAllocator(range: $0.range, taken: taken.compactMap(\.ipv6Subnet)) }
        for wish in [settings.identity.remembered, settings.identity.preferred].compactMap(\.self) {
            guard config.admits(wish), ipv4.isFree(wish.subnet) else { continue }
            if wish.ipv6Subnet.map({ ipv6?.isFree($0) ?? false }) ?? true { return wish }
        }
        guard let subnet = ipv4.choose(for: settings.identity.node) else { return nil }
        guard let ipv6 else { return SubnetKey(subnet) }
        return ipv6.choose(for: settings.identity.node).map { SubnetKey(subnet, ipv6Subnet: $0) }
    }

    mutating func claim(_ attempt: Attempt, _ session: Session?) -> [LeaseHolderAction] {
        guard let announcement else { return [] }
        state = .claiming(attempt, session)
        return send(
            .commit(
                LeaseClaim(
                    key: attempt.key, announcement: announcement, grant: session?.grant.id,
                    condition: attempt.condition, known: known)))
    }

    mutating func claimConflicted(
        _ attempt: Attempt, _ session: Session?, _ records: [LeaseRecord], at revision: Revision,
        _ table: LeaseTable, _ now: MonotonicTime
    ) -> [LeaseHolderAction] {
        known = max(known, revision)
        var holder: Lease?
        var isUnreadable = false
        learned = learned.filter { $0.value > table.revision }
        for record in records {
            switch record {
            case .lease(let lease):
                learned[lease.key] = lease.modRevision
                if lease.key == attempt.key { holder = lease }
            case .unreadable(let bad):
                guard let key = bad.key else { break }
                learned[key] = bad.modRevision
                if key == attempt.key { isUnreadable = true }
            case .gone: break
            }
        }
        if let holder, isOwn(holder) {
            return claimOwn(holder, attempt, session, table, now)
        }
        if holder == nil, attempt.condition != .absent, !isUnreadable {
            // What was to be changed is gone: nobody has the subnet.
            var attempt = attempt
            attempt.condition = .absent
            return session == nil ? requestGrant(for: attempt) : claim(attempt, session)
        }
        if holder == nil { learned[attempt.key] = revision }
        var actions: [LeaseHolderAction] = [.report(.claimConflict(attempt.key, holder: holder))]
        if attempt.isOwn {
            actions += lost(attempt.key, to: holder)
            guard state != .stopped else { return actions }
        }
        guard let config, let key = freeKey(table, config) else {
            state = .rangeFull
            actions.append(.report(.rangeFull(taken: table.count, size: config?.subnetCount ?? 0)))
            return actions + (session.map { [.revoke($0.grant.id)] } ?? [])
        }
        guard let session else {
            return actions + requestGrant(for: Attempt(key: key, condition: .absent, isOwn: false))
        }
        return actions + claim(Attempt(key: key, condition: .absent, isOwn: false), session)
    }

    /// The key that was to be written is this node's already: by an earlier commit whose answer was lost, in an
    /// older form, or as a reservation, which it stays.
    mutating func claimOwn(
        _ holder: Lease, _ attempt: Attempt, _ session: Session?, _ table: LeaseTable, _ now: MonotonicTime
    ) -> [LeaseHolderAction] {
        let kept = holder.grantID == nil ? nil : session
        if holder.grantID == kept?.grant.id, holder.announcement == announcement {
            return hold(Held(lease: holder, session: kept), in: table, at: now)
        }
        var attempt = attempt
        attempt.condition = .unchanged(since: holder.modRevision)
        if holder.grantID != nil, session == nil { return requestGrant(for: attempt) }
        return claim(attempt, kept)
    }

    /// Puts the lease to use, then looks at what the feed said of its key while the answer was on its way.
    mutating func hold(_ held: Held, in table: LeaseTable, at now: MonotonicTime) -> [LeaseHolderAction] {
        reclaimed = nil
        pending = nil
        wakeTime = nil
        state = .held(held)
        if let session = held.session { scheduleRenewal(session, at: now) }
        return [.hold(held.lease)] + ownKeySeen(in: table, at: now)
    }

    /// At a third of the TTL, give or take a tenth of that, so that a cluster's nodes do not renew in step; counted,
    /// as the deadline is, from when the grant was last known to be alive.
    mutating func scheduleRenewal(_ session: Session, at now: MonotonicTime) {
        let ttl = session.grant.ttl
        wakeTime = max(now, session.deadline + (ttl / 3 * Double.random(in: 0.9...1.1, using: &random) - ttl))
    }

    /// The key went away under us: the same subnet again, while it is used as before.
    mutating func reclaim(_ held: Held, session: Session?) -> [LeaseHolderAction] {
        reclaimed = held.lease
        wakeTime = nil
        let attempt = Attempt(key: held.lease.key, condition: .absent, isOwn: true)
        let notice = LeaseHolderAction.report(.reclaiming(held.lease.key))
        guard let session else {
            return [notice] + requestGrant(for: attempt)
        }
        return [notice] + claim(attempt, session)
    }

    mutating func lose(_ held: Held, to lease: Lease, _ table: LeaseTable) -> [LeaseHolderAction] {
        wakeTime = nil
        let actions = lost(held.lease.key, to: lease)
        guard state != .stopped, let config else { return actions }
        return actions + choose(table, config)
    }

    mutating func lost(_ key: SubnetKey, to holder: Lease?) -> [LeaseHolderAction] {
        reclaimed = nil
        let actions: [LeaseHolderAction] = [.lost(key, newHolder: holder)]
        guard settings.whenLost == .stop else { return actions }
        state = .stopped
        wakeTime = nil
        return actions + [.stop(.leaseLost(key, newHolder: holder))]
    }
}
