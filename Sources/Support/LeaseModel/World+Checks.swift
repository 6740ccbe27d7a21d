// SPDX-License-Identifier: Apache-2.0

import Leases

/// What must be true.
extension World {
    /// After every step: who believes that a subnet is its own, and could know better, is right. Where nothing
    /// changed in etcd, only the node that something happened to can have become wrong.
    mutating func check(after event: Event) {
        let isNews = checked != (etcd.revision, etcd.history)
        checked = (etcd.revision, etcd.history)
        if !isNews, let node = node(of: event) { return check(node) }
        for node in nodes.indices { check(node) }
    }

    private func node(of event: Event) -> Int? {
        switch event {
        case .arrive(let number), .answer(let number), .giveUp(let number): flights[number]?.node
        case .timer(let node, _), .feed(let node, _), .start(let node), .resume(let node), .reconnect(let node): node
        case .etcdReturns, .overwrite, .fault, .calm: nil
        }
    }

    private mutating func check(_ node: Int) {
        guard nodes[node].believes(at: now) else { return }
        guard let lease = nodes[node].machine.lease else {
            return fail("\(name(node)) believes that it has a lease, and has none")
        }
        if let present = etcd.keys[lease.key], nodes[node].owns(present) { return }
        // Behind its back a lease may be taken away from a node only by an operator's hand or a restore.
        if isDisorderly, !isCaughtUp(node) { return }
        fail("\(name(node)) believes that \(lease.key) is its own, which \(holder(of: lease.key))")
    }

    private func holder(of key: SubnetKey) -> String {
        guard let lease = etcd.keys[key] else { return "nobody has" }
        return "\(lease.announcement.node?.name ?? "a stranger") at \(lease.announcement.publicIP) has"
    }

    private func isCaughtUp(_ node: Int) -> Bool {
        guard case .watching(etcd.revision) = nodes[node].feed else { return false }
        return nodes[node].history == etcd.history
    }

    /// A key is made where there is none, or changed by the one whose it is.
    mutating func checkWrite(_ claim: LeaseClaim, over previous: Lease?, by node: Int) {
        if claim.grant == nil, previous?.grantID != nil || previous == nil {
            fail("\(name(node)) makes a reservation of \(claim.key)")
        }
        guard let previous, previous.announcement.node != nodes[node].name else { return }
        fail("\(name(node)) overwrites \(claim.key), which \(previous.announcement.node?.name ?? "a stranger") has")
    }

    mutating func checkDelete(_ previous: Lease?, by node: Int) {
        guard let previous, previous.announcement.node != nodes[node].name else { return }
        fail("\(name(node)) deletes \(previous.key), which \(previous.announcement.node?.name ?? "a stranger") has")
    }

    /// Past its deadline a node asks whether its grant lives, and nothing else.
    mutating func checkFenced(_ actions: [LeaseHolderAction], _ node: Int) {
        for case .send(let request) in actions where nodes[node].machine.deadline != nil {
            if case .renew = request { continue }
            fail("\(name(node)) is fenced and asks for \(request)")
        }
    }

    /// A node that was connected for longer than a lease lives keeps its subnet.
    mutating func checkLoss(of key: SubnetKey, by node: Int) {
        guard !nodes[node].isRobbed, now - nodes[node].disturbedAt > Self.ttl + .seconds(10) else { return }
        if let taken = takenAt[key], taken > nodes[node].heldAt - .seconds(30) { return }
        fail("\(name(node)) loses \(key), though nothing happened to it since \(nodes[node].disturbedAt / 1_000) ms")
    }

    /// At most four requests before the lease, the list included, and one more for each conflict.
    mutating func checkBudget(_ node: Int) {
        guard !nodes[node].hasFailed, nodes[node].table.history == 1,
            nodes[node].disturbedAt < nodes[node].startedAt
        else { return }
        let most = 3 + nodes[node].conflicts
        if nodes[node].requests > most {
            fail("\(name(node)) needed \(nodes[node].requests + 1) requests and met \(nodes[node].conflicts) conflicts")
        }
    }

    /// In the end everybody knows everything and has one lease, which says the right thing.
    mutating func checkRest() {
        var holders: [SubnetKey: Int] = [:]
        var leasedRivals = 0
        for node in nodes.indices {
            let isLeased = nodes[node].believes(at: now)
            if nodes[node].isRival {
                if isLeased { leasedRivals += 1 }
                if !isLeased { continue }
            }
            guard isLeased, let lease = nodes[node].machine.lease, let present = etcd.keys[lease.key],
                nodes[node].owns(present)
            else {
                fail(
                    "\(name(node)) has no lease in the end: \(nodes[node].machine.phase(at: nodes[node].localTime(now)))"
                )
                continue
            }
            if let other = holders.updateValue(node, forKey: lease.key) {
                fail("\(name(node)) and \(name(other)) have \(lease.key) in the end")
            }
            let machine = nodes[node].machine
            let wanted = machine.config.map { LeaseHolderStateMachine.announcement(of: machine.settings, in: $0) }
            if present.announcement != wanted {
                fail("\(name(node))'s lease says the wrong thing in the end: \(present.announcement)")
            }
            checkView(of: node)
        }
        if nodes.contains(where: \.isRival), leasedRivals != 1 {
            fail("\(leasedRivals) of two of one name or address have a lease in the end")
        }
        for lease in etcd.leases where lease.grantID != nil && holders[lease.key] == nil {
            fail("\(lease.key) is left over in the end: \(lease)")
        }
    }

    private mutating func checkView(of node: Int) {
        guard isCaughtUp(node) else { return fail("\(name(node)) is not up to date in the end") }
        let view = nodes[node].table.leases.sorted { $0.key < $1.key }
        if view != etcd.leases { fail("\(name(node)) does not see what is in etcd in the end") }
        if let config = nodes[node].machine.config, etcd.config != .valid(config) {
            fail("\(name(node)) goes by another config in the end")
        }
    }
}
