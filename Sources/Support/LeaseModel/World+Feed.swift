// SPDX-License-Identifier: Apache-2.0

import Leases

/// How nodes learn of what is in etcd.
extension World {
    /// Whatever was written is on its way to everybody.
    mutating func spread() {
        for node in nodes.indices where nodes[node].power != .off && !nodes[node].isFeedScheduled {
            guard case .watching(let revision) = nodes[node].feed else { continue }
            if revision != etcd.revision || nodes[node].history != etcd.history {
                scheduleFeed(node, chance(1, in: 25) ? later(50, 3_000) : later(1, 30))
            }
        }
    }

    mutating func scheduleFeed(_ node: Int, _ time: Ticks) {
        nodes[node].isFeedScheduled = true
        queue.push(.feed(node: node, life: nodes[node].life), at: time)
    }

    mutating func feed(_ node: Int, _ life: Int) {
        guard nodes[node].life == life, nodes[node].power != .off else { return }
        nodes[node].isFeedScheduled = false
        if case .paused(let until) = nodes[node].power { return scheduleFeed(node, until + 4) }
        guard !nodes[node].isPartitioned, !etcd.isDown else {
            if case .listing(let part, _) = nodes[node].feed {
                nodes[node].feed = .unlisted(startsHistory: part.startsHistory)
            }
            return scheduleFeed(node, later(200, 1_500))
        }
        switch nodes[node].feed {
        case .unlisted(let startsHistory): list(node, startsHistory)
        case .listing(let part, let history):
            nodes[node].history = history
            nodes[node].feed = .watching(revision: part.revision.value)
            take(part, node)
        case .watching(let revision): watch(node, from: revision)
        }
    }

    private mutating func list(_ node: Int, _ startsHistory: Bool) {
        let leases = etcd.leases
        let cut = chance(1, in: 3) ? Int.random(in: 0...leases.count, using: &random) : leases.count
        // A listing tells another history by its head, also one that a compaction asked for; where the new one has come
        // further than the old one was known, only by what it holds, if the compaction took the proof away.
        let isBehind = nodes[node].history != etcd.history && etcd.revision < nodes[node].table.revision.value
        let isOther = startsHistory || isBehind
        let starts = isOther && defect != .hidesRestore || nodes[node].table.history == 0
        func part(_ slice: ArraySlice<Lease>, isFirst: Bool, isLast: Bool) -> SnapshotPart {
            SnapshotPart(
                revision: Revision(etcd.revision), records: slice.map(LeaseRecord.lease),
                config: isFirst ? etcd.config : nil, isFirst: isFirst, isLast: isLast, startsHistory: starts)
        }
        guard cut < leases.count else {
            nodes[node].history = etcd.history
            nodes[node].feed = .watching(revision: etcd.revision)
            return take(part(leases[...], isFirst: true, isLast: true), node)
        }
        nodes[node].feed = .listing(part(leases[cut...], isFirst: false, isLast: true), history: etcd.history)
        take(part(leases[..<cut], isFirst: true, isLast: false), node)
        scheduleFeed(node, later(1, 500))
    }

    private mutating func take(_ part: SnapshotPart, _ node: Int) {
        journal.say(
            now, "\(name(node)) lists \(part.records.count) at \(part.revision)\(part.isLast ? "" : ", in part")")
        if let config = part.config { nodes[node].reading = config }
        _ = nodes[node].table.apply(part)
        guard part.isLast else { return }
        known(node)
    }

    private mutating func known(_ node: Int) {
        guard let reading = nodes[node].reading else { return }
        let table = nodes[node].table
        let actions = nodes[node].machine.leasesKnown(table, config: reading, at: nodes[node].localTime(now))
        perform(actions, of: node)
    }

    private mutating func watch(_ node: Int, from revision: Int64) {
        let isSame = nodes[node].history == etcd.history
        guard isSame, revision >= etcd.compacted else {
            // What was compacted away can't be told from what never was.
            nodes[node].feed = .unlisted(startsHistory: !isSame && revision >= etcd.compacted)
            return scheduleFeed(node, later(1, 300))
        }
        guard revision < etcd.revision else { return }
        let last = chance(1, in: 2) ? etcd.revision : Int64.random(in: revision + 1...etcd.revision, using: &random)
        var records: [LeaseRecord] = []
        var isConfigNew = false
        for entry in etcd.log[Int(revision) - 1..<Int(last) - 1] {
            switch entry {
            case .lease(let record): if defect != .losesChange || !chance(1, in: 40) { records.append(record) }
            case .config(let reading):
                nodes[node].reading = reading
                isConfigNew = true
            case .other: break
            }
        }
        nodes[node].feed = .watching(revision: last)
        let changes = nodes[node].table.apply(records, at: Revision(last))
        journal.say(now, "\(name(node)) sees \(last): \(records.count) changes")
        if !changes.isEmpty {
            let table = nodes[node].table
            let actions = nodes[node].machine.leasesChanged(changes, in: table, at: nodes[node].localTime(now))
            perform(actions, of: node)
        }
        if isConfigNew, nodes[node].power != .off { known(node) }
    }
}
