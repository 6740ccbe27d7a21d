// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

extension World {
    /// One thing that goes wrong, or that somebody does; then the next.
    mutating func makeFault() {
        guard !isCalm else { return }
        let mean = faultPause / 1_000
        queue.push(.fault, at: later(mean / 4, mean * 7 / 4))
        let node = someNode()
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: pause(node)
        case 14..<26: partition(node)
        case 26..<41: take(down: node)
        case 41..<44: move(node)
        case 44..<48: jumpWallClock(node)
        case 48..<56: breakEtcd(restoring: false)
        case 56..<63: changeLeader()
        case 63..<68: compact()
        case 68..<73: reserve()
        case 73..<81: changeConfig()
        case 81..<85 where isMeddled: breakEtcd(restoring: true)
        case 85..<90 where isMeddled: etcd.save()
        case 90..<95 where isMeddled: deleteKey()
        case 95..<100 where isMeddled: overwriteKey()
        default: pause(node)
        }
    }

    /// Faults hurt most where something is under way.
    private mutating func someNode() -> Int {
        let busy = nodes.indices.filter { nodes[$0].power == .running && nodes[$0].machine.pending != nil }
        if chance(1, in: 2), let node = busy.randomElement(using: &random) { return node }
        return Int.random(in: nodes.indices, using: &random)
    }

    private mutating func pause(_ node: Int) {
        guard nodes[node].power == .running else { return }
        count(.nodePaused)
        let until = later(100, chance(1, in: 3) ? 60_000 : 10_000)
        nodes[node].disturbedAt = max(nodes[node].disturbedAt, until)
        nodes[node].power = .paused(until: until)
        queue.push(.resume(node: node), at: until)
        journal.say(now, "\(name(node)) is paused")
    }

    private mutating func partition(_ node: Int) {
        guard !nodes[node].isPartitioned else { return }
        count(.nodePartitioned)
        nodes[node].isPartitioned = true
        let until = later(100, chance(1, in: 3) ? 70_000 : 15_000)
        nodes[node].disturbedAt = max(nodes[node].disturbedAt, until)
        queue.push(.reconnect(node: node), at: until)
        journal.say(now, "\(name(node)) is cut off")
    }

    /// The process ends, in an orderly way or not, and another one starts later.
    private mutating func take(down node: Int) {
        guard nodes[node].power == .running else { return }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<2: return end(node, releasing: false)
        case 2..<4: return end(node, releasing: true)
        case 4: wipe(node)
        case 5 where !nodes[node].isRival: changeAddress(node)
        default: break
        }
        count(.nodeCrashed)
        turnOff(node)
    }

    mutating func end(_ node: Int, releasing: Bool) {
        count(releasing ? .nodeReleased : .nodeStopped)
        let actions = nodes[node].machine.shutDown(releasing: releasing)
        nodes[node].used = nil
        perform(actions, of: node)
        turnOff(node)
    }

    private mutating func turnOff(_ node: Int) {
        journal.say(now, "\(name(node)) goes down")
        nodes[node].power = .off
        nodes[node].used = nil
        queue.push(.start(node: node), at: later(10, chance(1, in: 4) ? 60_000 : 8_000))
    }

    private mutating func wipe(_ node: Int) {
        count(.memoryWiped)
        nodes[node].remembered = nil
    }

    /// To one that nobody has.
    private mutating func changeAddress(_ node: Int) {
        count(.addressChanged)
        nodes[node].address = IPv4Address(bits: nodes[node].address.bits + 256)
    }

    /// The same while it runs, which it notices at once, and which is to cost it nothing.
    private mutating func move(_ node: Int) {
        guard nodes[node].power == .running, !nodes[node].isRival else { return }
        count(.addressMoved)
        let address = IPv4Address(bits: nodes[node].address.bits + 256)
        nodes[node].address = address
        journal.say(now, "\(name(node)) has another address")
        let (table, time) = (nodes[node].table, nodes[node].localTime(now))
        perform(nodes[node].machine.addressChanged(to: address, nil, in: table, at: time), of: node)
    }

    private mutating func jumpWallClock(_ node: Int) {
        count(.wallClockJumped)
        nodes[node].wall += Ticks.random(in: -Ticks.seconds(100_000)...Ticks.seconds(100_000), using: &random)
    }

    private mutating func breakEtcd(restoring: Bool) {
        guard !etcd.isDown, !restoring || etcd.hasSnapshot else { return }
        count(.etcdDown)
        etcd.isDown = true
        downAt = now
        let longest: Int64 = chance(1, in: 4) ? 90_000 : 8_000
        queue.push(.etcdReturns(restored: restoring), at: later(100, longest))
        journal.say(now, "etcd is down")
    }

    mutating func etcdReturns(_ isRestored: Bool) {
        guard etcd.isDown else { return }
        etcd.isDown = false
        // Who was in trouble when etcd went had no chance to get out of it since.
        for node in nodes.indices where nodes[node].disturbedAt > downAt - Self.ttl - .seconds(10) { disturb(node) }
        if isRestored {
            count(.restored)
            let former = etcd.revision
            etcd.restore(at: now)
            isDisorderly = true
            // Somebody else may be quick: by the time a node looks, etcd has come further than it was before.
            if chance(1, in: 2) {
                etcd.advance(to: former + Int64.random(in: 0...3, using: &random))
                if chance(1, in: 2) { etcd.compact() }
            }
            for node in nodes.indices { rob(node) }
        } else {
            etcd.lead(at: now)
        }
        journal.say(now, "etcd is back\(isRestored ? ", restored" : "") at \(etcd.revision)")
    }

    private mutating func changeLeader() {
        guard !etcd.isDown else { return }
        count(.leaderChanged)
        etcd.lead(at: now)
        journal.say(now, "etcd has a new leader")
    }

    private mutating func compact() {
        guard !etcd.isDown else { return }
        count(.compacted)
        etcd.compact()
        journal.say(now, "etcd is compacted at \(etcd.revision)")
    }

    /// The subnet of somebody who can't see what happens to it, or any.
    private mutating func someKey() -> SubnetKey {
        let absent = nodes.filter { $0.isPartitioned || $0.power != .running }.compactMap(\.machine.lease?.key)
        if chance(1, in: 2), let key = absent.randomElement(using: &random) { return key }
        let subnet = IPv4Prefix(
            IPv4Address(10, 244, UInt8(Int.random(in: 1...size, using: &random)), 0), length: 24)
        guard let subnet else { preconditionFailure("a /24 is a prefix") }
        return SubnetKey(subnet)
    }

    private mutating func deleteKey() {
        let key = someKey()
        guard !etcd.isDown, etcd.keys[key] != nil else { return }
        count(.keyDeleted)
        isDisorderly = true
        takenAt[key] = now
        etcd.delete(key)
        journal.say(now, "somebody deletes \(key)")
    }

    /// As a flannel node that was cut off for long does.
    private mutating func overwriteKey() { overwrite(someKey()) }

    mutating func overwrite(_ key: SubnetKey) {
        guard !etcd.isDown else { return }
        count(.keyOverwritten)
        isDisorderly = true
        takenAt[key] = now
        let grant = etcd.grant(ttl: .seconds(Int64.random(in: 5...40, using: &random)), at: now)
        etcd.put(key, stranger, grant.id)
        journal.say(now, "somebody takes \(key)")
    }

    private var stranger: LeaseAnnouncement {
        LeaseAnnouncement(
            node: nil, owner: .unnamed, publicIP: IPv4Address(10, 99, 0, 1),
            backend: .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: MACAddress(bits: 0x0200_0099_0000)), ipv6: nil))
    }

    /// For one of the nodes, or for one that is not there; only what is free.
    private mutating func reserve() {
        let key = someKey()
        let count = etcd.keys.values.filter { $0.grantID == nil }.count
        guard !etcd.isDown, etcd.keys[key] == nil, count < size - nodes.count else { return }
        self.count(.reserved)
        takenAt[key] = now
        let number = Int.random(in: 0...nodes.count, using: &random)
        var announcement = stranger
        announcement.node = number < nodes.count ? nodes[number].name : NodeID("nobody")
        announcement.publicIP = IPv4Address(bits: 0)
        etcd.put(key, announcement, nil)
        journal.say(now, "\(key) is reserved for \(announcement.node?.name ?? "")")
    }

    private mutating func changeConfig() {
        guard !etcd.isDown else { return }
        if chance(1, in: 4) {
            count(.configBroken)
            etcd.setConfig(
                chance(1, in: 2)
                    ? .missing : .invalid(NetworkConfigError(field: "Network", reason: "is not a network")))
        } else {
            count(.configChanged)
            let size = Int.random(in: max(2, size - 2)...size + 2, using: &random)
            etcd.setConfig(.valid(Self.config(size: size, vni: Int.random(in: 1...2, using: &random))))
        }
        journal.say(now, "the config is \(etcd.config)")
    }

    /// Everything is mended, and there is room for everybody.
    mutating func calmDown() {
        isCalm = true
        journal.say(now, "calm")
        etcdReturns(false)
        etcd.setConfig(.valid(Self.config(size: size + 2 * nodes.count, vni: 1)))
        for node in nodes.indices {
            nodes[node].isPartitioned = false
            if case .paused = nodes[node].power { nodes[node].power = .running }
            if nodes[node].power == .off { start(node) }
        }
    }
}
