// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

/// A simulated cluster: lease holders around one ``ModelEtcd``, in simulated time. The seed decides everything.
///
/// Messages take their time, overtake each other, get lost, and take effect after their sender gave up; each node's
/// feed lags as it likes, in listings of several parts and changes in bunches; and faults (``ModelFault``) come one
/// after another for as long as ``chaos`` lasts. Then all is mended, and in the time that is left the cluster must
/// come to rest. What must be true is checked after each step (`World+Checks.swift`).
package struct World {
    enum Event {
        /// A request reaches etcd.
        case arrive(Int)
        /// An answer reaches its node.
        case answer(Int)
        /// The sender gives up.
        case giveUp(Int)
        case timer(node: Int, life: Int)
        case feed(node: Int, life: Int)
        case start(node: Int)
        case resume(node: Int)
        case reconnect(node: Int)
        case etcdReturns(restored: Bool)
        /// Somebody is quicker than the node whose request is on its way.
        case overwrite(SubnetKey)
        case fault
        case calm
    }

    static let ttl = Ticks.seconds(30)
    /// How long faults are made, and how long the cluster has afterwards.
    static let chaos = Ticks.seconds(150)
    static let rest = Ticks.seconds(150)

    let seed: UInt64
    let defect: ModelDefect?
    let journal: Journal
    var random: SplitMix64
    var etcd: ModelEtcd
    var nodes: [ModelNode] = []
    var queue = EventQueue<Event>()
    var flights: [Int: Flight] = [:]
    var flightCount = 0
    var now: Ticks = 0
    var isCalm = false
    /// When etcd last went.
    var downAt: Ticks = 0
    /// Whether somebody took keys away from under their holders: an operator, or a restore.
    var isDisorderly = false
    /// Mean pause between faults.
    let faultPause: Ticks
    let size: Int
    /// Whether an operator's hand, or a restore, takes keys away from under their holders.
    let isMeddled: Bool
    /// When an operator or a stranger last took a key from whoever had it.
    var takenAt: [SubnetKey: Ticks] = [:]
    /// What of etcd was last checked against every node's belief.
    var checked: (revision: Int64, history: Int) = (0, 0)

    package private(set) var steps = 0
    package internal(set) var faults: [ModelFault: Int] = [:]
    package internal(set) var violation: String?
    package var trace: [String] { journal.lines }

    package init(seed: UInt64, defect: ModelDefect? = nil, isTraced: Bool = false) {
        self.seed = seed
        self.defect = defect
        journal = Journal(isKept: isTraced)
        random = SplitMix64(seed: SplitMix64.mix(seed))
        let count = Int.random(in: 5...20, using: &random)
        size = count + Int.random(in: 0...8, using: &random)
        // Some seeds have few faults, so that what one alone does is seen, and some have many.
        faultPause = .milliseconds(Int64([800, 3_000, 10_000].randomElement(using: &random) ?? 3_000))
        isMeddled = Bool.random(using: &random)
        etcd = ModelEtcd(config: .valid(Self.config(size: size, vni: 1)), defect: defect)
        for number in 1...count {
            nodes.append(ModelNode(number: number, drift: drift(), seed: random.next()))
        }
        addRivals()
        for node in nodes.indices { queue.push(.start(node: node), at: later(1, 3_000)) }
        queue.push(.fault, at: later(500, 5_000))
        queue.push(.calm, at: Self.chaos)
    }

    /// Runs to the end or to the first violation.
    package mutating func run() {
        while violation == nil, let (time, event) = queue.pop(), time <= Self.chaos + Self.rest {
            now = max(now, time)
            etcd.expire(at: now)
            take(event)
            steps += 1
            check(after: event)
        }
        if violation == nil { checkRest() }
    }

    private mutating func take(_ event: Event) {
        switch event {
        case .arrive(let flight): arrive(flight)
        case .answer(let flight): answer(flight)
        case .giveUp(let flight): giveUp(flight)
        case .timer(let node, let life): fire(node, life)
        case .feed(let node, let life): feed(node, life)
        case .start(let node): start(node)
        case .resume(let node): resume(node)
        case .reconnect(let node):
            nodes[node].isPartitioned = false
            journal.say(now, "n\(node) is connected again")
        case .etcdReturns(let isRestored): etcdReturns(isRestored)
        case .overwrite(let key): if !isCalm { overwrite(key) }
        case .fault: makeFault()
        case .calm: calmDown()
        }
        spread()
    }

    mutating func start(_ node: Int) {
        guard nodes[node].power == .off else { return }
        nodes[node].start(seed: random.next())
        nodes[node].startedAt = now
        journal.say(now, "\(name(node)) starts")
        scheduleFeed(node, later(1, 30))
    }

    private mutating func resume(_ node: Int) {
        guard case .paused(let until) = nodes[node].power, until <= now else { return }
        nodes[node].power = .running
        journal.say(now, "\(name(node)) goes on")
        // A signal that came while the process stood still is the first thing that it sees.
        if !isCalm, chance(1, in: 5) { end(node, releasing: true) }
    }

    /// A timer of a process that still is.
    private mutating func fire(_ node: Int, _ life: Int) {
        guard nodes[node].life == life, nodes[node].power != .off else { return }
        if case .paused(let until) = nodes[node].power {
            queue.push(.timer(node: node, life: life), at: until + 1)
            return
        }
        guard let wake = nodes[node].armed, nodes[node].machine.wakeTime == wake else { return }
        let time = nodes[node].localTime(now)
        guard wake <= time else {
            queue.push(.timer(node: node, life: life), at: later(1, 10))
            return
        }
        let isFenced = nodes[node].machine.lease != nil && !nodes[node].believes(at: now)
        let actions = nodes[node].machine.timerFired(at: time)
        nodes[node].armed = nil
        if isFenced { checkFenced(actions, node) }
        perform(actions, of: node)
    }

    mutating func arm(_ node: Int) {
        nodes[node].noteBelief()
        let wake = nodes[node].machine.wakeTime
        guard wake != nodes[node].armed else { return }
        nodes[node].armed = wake
        guard let wake else { return }
        queue.push(.timer(node: node, life: nodes[node].life), at: max(now, nodes[node].globalTime(wake)) + 500)
    }

    mutating func later(_ least: Int64, _ most: Int64) -> Ticks {
        now + Ticks.random(in: .milliseconds(least)...(.milliseconds(most)), using: &random)
    }

    mutating func chance(_ one: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < one }

    private mutating func drift() -> Int64 {
        defect == .slowClocks ? -20_000 : Int64.random(in: -400...400, using: &random)
    }

    /// Two of one name or one address, in some seeds; both want to be there from the start.
    private mutating func addRivals() {
        guard chance(1, in: 4) else { return }
        let number = nodes.count + 1
        let first = nodes[0]
        let isNamesake = chance(1, in: 2)
        nodes[0].isRival = true
        nodes.append(
            ModelNode(
                name: isNamesake ? first.name : NodeID("n\(number)"),
                address: isNamesake ? IPv4Address(bits: 0xC0A8_0000 + UInt32(number)) : first.address,
                number: number, drift: first.drift, seed: random.next()))
        count(isNamesake ? .twoOfOneName : .twoOfOneAddress)
    }

    /// 10.244.1.0/24 and so on, as many as `size`.
    static func config(size: Int, vni: Int) -> NetworkConfig {
        var fields = NetworkConfigFields()
        fields.network = "10.244.0.0/16"
        fields.subnetMin = "10.244.1.0"
        fields.subnetMax = "10.244.\(size).0"
        fields.vni = vni
        do {
            return try NetworkConfig(fields)
        } catch {
            preconditionFailure("the model's config is not valid: \(error)")
        }
    }

    mutating func count(_ fault: ModelFault) { faults[fault, default: 0] += 1 }

    func name(_ node: Int) -> String { "\(nodes[node].name)@\(nodes[node].address)" }

    mutating func fail(_ text: String) {
        guard violation == nil else { return }
        violation = text
        journal.say(now, "VIOLATION: \(text)")
    }
}
