// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit

/// Some lease holders around one ``ModelEtcd``: whatever can happen next, chance chooses.
///
/// Requests and answers are lost and late, also so that a request takes effect long after its sender gave up; each
/// node's feed lags as it likes, lists again, and repeats itself; grants end; nodes restart. With `isMeddled`, somebody
/// deletes keys and writes leases by hand as well.
struct LeaseHolderWorld {
    struct Node {
        var machine: LeaseHolderStateMachine
        let number: Int
        var table = LeaseTable()
        /// The revision that the feed has come to; zero before the first listing.
        var seen: Int64 = 0
        /// The subnet that the machine said to use.
        var used: SubnetKey?
        /// Tells the requests of a process from those of the one before it.
        var life = 0
    }

    enum Message {
        case request(LeaseHolderRequest)
        case release(SubnetKey, Revision)
        case revoke(GrantID)
        case grantAnswer(LeaseHolderRequest, Grant)
        case commitAnswer(LeaseClaim, ClaimOutcome)
        case renewAnswer(GrantID, Duration?)
    }

    struct Flight {
        let node: Int
        let life: Int
        let sentAt: MonotonicTime
        var message: Message
        /// Nobody waits for it any more.
        var isAbandoned = false
    }

    static let ttl = Duration.seconds(30)

    let config: NetworkConfig
    let isMeddled: Bool
    var random: SplitMix64
    var etcd = ModelEtcd()
    var nodes: [Node] = []
    var flights: [Flight] = []
    var now = MonotonicTime(sinceStart: .zero)
    var problems: [String] = []

    init(seed: UInt64, isMeddled: Bool) throws {
        random = SplitMix64(seed: seed)
        self.isMeddled = isMeddled
        let count = Int.random(in: 2...4, using: &random)
        let size = Int.random(in: count...count + 2, using: &random)
        config = try LeaseFixtures.config(min: "10.244.1.0", max: "10.244.\(size).0")
        for number in 0..<count { nodes.append(Node(machine: machine(number), number: number)) }
    }

    mutating func machine(_ number: Int) -> LeaseHolderStateMachine {
        LeaseHolderStateMachine(
            settings: .init(
                identity: NodeIdentity(
                    node: NodeID("n\(number)"), publicIP: LeaseFixtures.publicIP(number),
                    mac: LeaseFixtures.mac(number)),
                carriesTraffic: true, ttl: Self.ttl, whenLost: .move), seed: random.next())
    }

    func isCaughtUp(_ node: Node) -> Bool { node.seen == etcd.revision }

    func owns(_ node: Node, _ lease: Lease) -> Bool {
        lease.announcement.node == node.machine.settings.identity.node
            && lease.announcement.publicIP == node.machine.settings.identity.publicIP
    }

    // MARK: What can happen

    mutating func step() {
        let node = Int.random(in: 0..<nodes.count, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: moveFlight(loses: Int.random(in: 0..<6, using: &random) == 0)
        case 45..<75: feed(node)
        case 75..<85: pass(.milliseconds(Int.random(in: 1..<12_000, using: &random)))
        case 85..<93: fireTimer(node)
        case 93..<94: restart(node)
        case 94..<97: relist(node)
        default: if isMeddled { meddle() }
        }
        check()
    }

    mutating func pass(_ time: Duration) {
        now = now + time
        etcd.expire(at: now)
    }

    mutating func fireTimer(_ node: Int) {
        perform(nodes[node].machine.timerFired(at: now), of: node)
    }

    /// Takes one message a step further, or loses it.
    mutating func moveFlight(loses: Bool) {
        guard !flights.isEmpty else { return }
        let index = Int.random(in: 0..<flights.count, using: &random)
        if loses {
            lose(index)
            return
        }
        var flight = flights[index]
        switch flight.message {
        case .request(.grant(let ttl)):
            flight.message = .grantAnswer(.grant(ttl: ttl), etcd.grant(ttl: ttl, at: now))
        case .request(.renew(let grant)): flight.message = .renewAnswer(grant, etcd.renew(grant, at: now))
        case .request(.commit(let claim)):
            checkWrite(claim, by: nodes[flight.node])
            flight.message = .commitAnswer(claim, etcd.commit(claim))
        case .release(let key, let revision):
            if let lease = etcd.lease(key, writtenAt: revision), !owns(nodes[flight.node], lease) {
                problems.append("releases another's lease of \(key)")
            }
            etcd.release(key, at: revision)
            flights.remove(at: index)
            return
        case .revoke(let grant):
            etcd.revoke(grant)
            flights.remove(at: index)
            return
        case .grantAnswer, .commitAnswer, .renewAnswer:
            flights.remove(at: index)
            answer(flight)
            return
        }
        flights[index] = flight
    }

    /// The sender gives up; the message is lost, or arrives later all the same.
    private mutating func lose(_ index: Int) {
        let flight = flights[index]
        let goesOn = Bool.random(using: &random)
        if goesOn { flights[index].isAbandoned = true } else { flights.remove(at: index) }
        guard !flight.isAbandoned, flight.life == nodes[flight.node].life else { return }
        let request: LeaseHolderRequest? =
            switch flight.message {
            case .request(let request), .grantAnswer(let request, _): request
            case .commitAnswer(let claim, _): .commit(claim)
            case .renewAnswer(let grant, _): .renew(grant)
            case .release, .revoke: nil
            }
        guard let request else { return }
        let error = LeaseStoreError(remedy: .retry, description: "no answer", mayHaveApplied: true)
        perform(nodes[flight.node].machine.requestFailed(request, error, at: now), of: flight.node)
    }

    private mutating func answer(_ flight: Flight) {
        guard !flight.isAbandoned, flight.life == nodes[flight.node].life else { return }
        let table = nodes[flight.node].table
        switch flight.message {
        case .grantAnswer(_, let grant):
            perform(nodes[flight.node].machine.granted(grant, sentAt: flight.sentAt), of: flight.node)
        case .commitAnswer(let claim, let outcome):
            perform(nodes[flight.node].machine.committed(claim, outcome, in: table, at: now), of: flight.node)
        case .renewAnswer(let grant, let ttl):
            perform(
                nodes[flight.node].machine.renewed(grant, ttl, sentAt: flight.sentAt, in: table, at: now),
                of: flight.node)
        case .request, .release, .revoke: break
        }
    }

    /// Some of what the node's feed has not told yet; now and then it says the last thing twice.
    mutating func feed(_ node: Int, everything: Bool = false) {
        guard nodes[node].seen > 0 else { return relist(node) }
        let repeats = Int.random(in: 0..<8, using: &random) == 0 && nodes[node].seen > 1
        let from = nodes[node].seen - (repeats ? 1 : 0)
        let to = everything ? etcd.revision : min(etcd.revision, from + Int64.random(in: 1...3, using: &random))
        guard to > from else { return }
        let records = Array(etcd.history[Int(from) - 1..<Int(to) - 1])
        nodes[node].seen = to
        let changes = nodes[node].table.apply(records, at: Revision(to))
        guard !changes.isEmpty else { return }
        perform(nodes[node].machine.leasesChanged(changes, in: nodes[node].table, at: now), of: node)
    }

    /// A new listing, of now or of some revision since the last word of the feed.
    mutating func relist(_ node: Int) {
        let revision = Int64.random(in: max(1, nodes[node].seen)...etcd.revision, using: &random)
        nodes[node].seen = revision
        _ = nodes[node].table.apply(LeaseFixtures.snapshot(etcd.leases(at: revision), at: revision))
        let actions = nodes[node].machine.leasesKnown(nodes[node].table, config: .valid(config), at: now)
        perform(actions, of: node)
    }

    private mutating func restart(_ node: Int) {
        nodes[node].machine = machine(nodes[node].number)
        nodes[node].table = LeaseTable()
        nodes[node].seen = 0
        nodes[node].used = nil
        nodes[node].life += 1
    }

    /// A stranger's hand: deletes a key, or takes one, free or not, for a while.
    private mutating func meddle() {
        let range = config.ipv4.range
        let place = UInt32.random(in: 0...range.lastIndex, using: &random)
        guard let subnet = IPv4Prefix(IPv4Address(bits: range.first.address.bits + place << 8), length: 24) else { return }
        if Bool.random(using: &random) {
            etcd.delete(SubnetKey(subnet))
        } else {
            let grant = etcd.grant(ttl: .seconds(Int.random(in: 1..<40, using: &random)), at: now)
            etcd.put(SubnetKey(subnet), LeaseFixtures.announcement(node: 99), grant.id)
        }
    }

    private mutating func perform(_ actions: [LeaseHolderAction], of node: Int) {
        var sent = 0
        for action in actions {
            let message: Message
            switch action {
            case .send(let request):
                sent += 1
                message = .request(request)
            case .release(let key, let revision): message = .release(key, revision)
            case .revoke(let grant): message = .revoke(grant)
            case .hold(let lease):
                nodes[node].used = lease.key
                continue
            case .lost(let key, _):
                if let used = nodes[node].used, used != key { problems.append("lost \(key) while using \(used)") }
                nodes[node].used = nil
                continue
            case .report: continue
            case .stop(let reason):
                problems.append("stopped: \(reason)")
                continue
            }
            flights.append(Flight(node: node, life: nodes[node].life, sentAt: now, message: message))
        }
        if sent > 1 { problems.append("n\(node) sent \(sent) requests at once") }
    }
}
