// SPDX-License-Identifier: Apache-2.0

import Leases

/// A request on its way, or its answer.
struct Flight {
    enum Message {
        case request(LeaseHolderRequest)
        case release(Lease)
        case revoke(GrantID)
        case noteFreed(Lease)
    }

    enum Answer {
        case granted(Grant)
        case committed(LeaseClaim, ClaimOutcome)
        case renewed(GrantID, Duration?)
    }

    let node: Int
    let life: Int
    let sentAt: MonotonicTime
    let message: Message
    var answer: Answer?
    /// Nobody waits for it any more.
    var isAbandoned = false
}

extension World {
    static let patience = Ticks.seconds(7)

    mutating func perform(_ actions: [LeaseHolderAction], of node: Int) {
        var sent = 0
        for action in actions {
            switch action {
            case .send(let request):
                sent += 1
                nodes[node].requests += 1
                if case .commit(let claim) = request, isMeddled, !isCalm, chance(1, in: 15) {
                    queue.push(.overwrite(claim.key), at: later(0, 5))
                }
                send(.request(request), from: node)
            case .release(let lease): send(.release(lease), from: node)
            case .revoke(let grant): send(.revoke(grant), from: node)
            case .noteFreed(let lease): send(.noteFreed(lease), from: node)
            case .hold(let lease): held(lease, by: node)
            case .lost(let key, _): lost(key, by: node)
            case .forgo(let key):
                if nodes[node].used == key { fail("\(name(node)) forgoes \(key), which it uses") }
            case .report(let notice):
                journal.say(now, "\(name(node)): \(notice)")
                // Who waits for a free subnet may have to ask often.
                if case .rangeFull = notice { nodes[node].hasFailed = true }
                if case .claimConflict = notice { nodes[node].conflicts += 1 }
            case .stop(let reason): stopped(node, reason)
            }
        }
        if sent > 1 { fail("\(name(node)) sends \(sent) requests at once") }
        if nodes[node].machine.lease?.key != nodes[node].used {
            fail("\(name(node)) uses \(nodes[node].used.map(\.description) ?? "nothing") and has another lease")
        }
        arm(node)
    }

    private mutating func held(_ lease: Lease, by node: Int) {
        journal.say(now, "\(name(node)) holds \(lease.key) at \(lease.modRevision)")
        if !nodes[node].hasHeld { checkBudget(node) }
        nodes[node].hasHeld = true
        nodes[node].used = lease.key
        nodes[node].isRobbed = false
        nodes[node].heldAt = now
        nodes[node].remembered = lease.key
    }

    private mutating func lost(_ key: SubnetKey, by node: Int) {
        journal.say(now, "\(name(node)) loses \(key)")
        if let used = nodes[node].used {
            if used != key { fail("\(name(node)) loses \(key) while it uses \(used)") }
            checkLoss(of: key, by: node)
        }
        nodes[node].used = nil
    }

    private mutating func stopped(_ node: Int, _ reason: LeaseHolderStop) {
        journal.say(now, "\(name(node)) stops: \(reason)")
        if !nodes[node].isRival { fail("\(name(node)) stops: \(reason)") }
        nodes[node].used = nil
        nodes[node].power = .off
        // Something starts it again and again.
        queue.push(.start(node: node), at: later(15_000, 25_000))
    }

    mutating func send(_ message: Flight.Message, from node: Int) {
        flightCount += 1
        let number = flightCount
        flights[number] = Flight(
            node: node, life: nodes[node].life, sentAt: nodes[node].localTime(now), message: message)
        journal.say(now, "\(name(node)) sends #\(number) \(message)")
        queue.push(.giveUp(number), at: now + Self.patience)
        if nodes[node].isPartitioned { return }
        if !isCalm, chance(1, in: 150) {
            count(.requestLost)
            disturb(node)
            return
        }
        queue.push(.arrive(number), at: delay(node, .takesEffectLate))
    }

    private mutating func delay(_ node: Int, _ late: ModelFault) -> Ticks {
        guard !isCalm, chance(1, in: 100) else { return later(1, 15) }
        count(late)
        disturb(node)
        return chance(1, in: 2) ? later(100, 6_000) : later(6_000, 25_000)
    }

    mutating func arrive(_ number: Int) {
        guard var flight = flights[number] else { return }
        guard !etcd.isDown, !nodes[flight.node].isPartitioned || flight.isAbandoned else { return }
        let before = etcd.revision
        noteLateFarewell(flight)
        switch flight.message {
        case .request(.grant(let ttl)):
            flight.answer = .granted(etcd.grant(ttl: ttl.components.seconds * 1_000_000, at: now))
        case .request(.renew(let grant)): flight.answer = .renewed(grant, etcd.renew(grant, at: now))
        case .request(.commit(let claim)):
            let previous = etcd.keys[claim.key]
            let outcome = etcd.commit(claim)
            if case .claimed = outcome { checkWrite(claim, over: previous, by: flight.node) }
            flight.answer = .committed(claim, outcome)
        case .release(let lease):
            let previous = etcd.keys[lease.key]
            etcd.release(lease)
            if etcd.keys[lease.key] == nil { checkDelete(previous, by: flight.node) }
        case .revoke(let grant):
            for lease in etcd.attached(to: grant) { checkDelete(lease, by: flight.node) }
            etcd.revoke(grant)
        case .noteFreed(let lease): etcd.noteFreed(lease)
        }
        journal.say(now, "#\(number) reaches etcd at \(before), now \(etcd.revision)")
        guard flight.answer != nil, !flight.isAbandoned else {
            flights[number] = nil
            return
        }
        flights[number] = flight
        if !isCalm, chance(1, in: 150) {
            count(.answerLost)
            disturb(flight.node)
            return
        }
        queue.push(.answer(number), at: delay(flight.node, .answerLate))
    }

    /// What a process asked for as it ended may take a lease from the one after it: the node did that to itself.
    private mutating func noteLateFarewell(_ flight: Flight) {
        guard flight.life != nodes[flight.node].life else { return }
        switch flight.message {
        case .release, .revoke:
            isDisorderly = true
            rob(flight.node)
        case .request, .noteFreed: break
        }
    }

    mutating func answer(_ number: Int) {
        guard let flight = flights[number], let answer = flight.answer, !flight.isAbandoned else { return }
        let node = flight.node
        guard nodes[node].life == flight.life, nodes[node].power != .off else { return }
        if case .paused(let until) = nodes[node].power {
            queue.push(.answer(number), at: until + 2)
            return
        }
        guard !nodes[node].isPartitioned else { return }
        flights[number] = nil
        let time = nodes[node].localTime(now)
        let sentAt = defect == .countsFromAnswer ? time : flight.sentAt
        let table = nodes[node].table
        journal.say(now, "\(name(node)) is answered #\(number) \(answer)")
        let actions =
            switch answer {
            case .granted(let grant): nodes[node].machine.granted(grant, sentAt: sentAt)
            case .committed(let claim, let outcome):
                nodes[node].machine.committed(claim, outcome, in: table, at: time)
            case .renewed(let grant, let ttl):
                nodes[node].machine.renewed(grant, ttl, sentAt: sentAt, in: table, at: time)
            }
        if case .committed(_, let outcome) = answer {
            switch outcome {
            case .usedBefore, .grantGone: nodes[node].conflicts += 1
            case .claimed, .conflict: break
            }
        }
        perform(actions, of: node)
    }

    mutating func giveUp(_ number: Int) {
        guard let flight = flights[number], !flight.isAbandoned else { return }
        let node = flight.node
        if nodes[node].life == flight.life, case .paused(let until) = nodes[node].power {
            queue.push(.giveUp(number), at: until + 3)
            return
        }
        if flight.answer == nil { flights[number]?.isAbandoned = true } else { flights[number] = nil }
        guard nodes[node].life == flight.life, nodes[node].power == .running,
            case .request(let request) = flight.message
        else { return }
        nodes[node].hasFailed = true
        journal.say(now, "\(name(node)) gives #\(number) up")
        let error = LeaseStoreError(remedy: .retry, description: "no answer", mayHaveApplied: true)
        perform(nodes[node].machine.requestFailed(request, error, at: nodes[node].localTime(now)), of: node)
    }

    mutating func disturb(_ node: Int) { nodes[node].disturbedAt = max(nodes[node].disturbedAt, now) }

    /// Its lease may be gone without its having done anything wrong.
    mutating func rob(_ node: Int) { nodes[node].isRobbed = true }
}
