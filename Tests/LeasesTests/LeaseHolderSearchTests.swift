// SPDX-License-Identifier: Apache-2.0

import Leases
import TestKit
import Testing

extension LeaseHolderWorld {
    /// What must be true after every step.
    mutating func check() {
        for node in nodes {
            if node.machine.lease?.key != node.used {
                problems.append("n\(node.number) uses \(node.used.map(\.description) ?? "nothing") and has another")
            }
            guard isLeased(node), isCaughtUp(node), let lease = node.machine.lease else { continue }
            guard let present = etcd.keys[lease.key] else {
                problems.append("n\(node.number) is leased, knows all, and nobody has \(lease.key)")
                continue
            }
            if !owns(node, present) { problems.append("n\(node.number) is leased, and \(lease.key) is another's") }
        }
        guard !isMeddled else { return }
        // Without a meddler not even a feed that lags makes two nodes believe in one subnet.
        for (index, node) in nodes.enumerated() where isLeased(node) {
            for other in nodes[(index + 1)...] where isLeased(other) && other.machine.lease?.key == node.machine.lease?.key {
                problems.append("n\(node.number) and n\(other.number) are leased one subnet")
            }
        }
    }

    /// No write on an assumption: what is to be changed is this node's, and nothing is made for ever.
    mutating func checkWrite(_ claim: LeaseClaim, by node: Node) {
        if claim.grant == nil { problems.append("n\(node.number) makes a reservation of \(claim.key)") }
        guard case .unchanged(let revision) = claim.condition else { return }
        guard let lease = etcd.lease(claim.key, writtenAt: revision), owns(node, lease) else {
            problems.append("n\(node.number) changes \(claim.key), which is not its own")
            return
        }
    }

    private func isLeased(_ node: Node) -> Bool {
        [.leased, .renewing].contains(node.machine.phase(at: now))
    }

    /// Nothing is lost any more; time passes until all grants of the past have ended.
    mutating func settle() {
        for _ in 0..<60 {
            for _ in 0..<200 where !flights.isEmpty { moveFlight(loses: false) }
            for node in nodes.indices {
                feed(node, everything: true)
                fireTimer(node)
            }
            pass(.seconds(2))
            check()
        }
        for _ in 0..<200 where !flights.isEmpty { moveFlight(loses: false) }
        for node in nodes.indices { feed(node, everything: true) }
        check()
        for node in nodes {
            guard isLeased(node), let lease = node.machine.lease, let present = etcd.keys[lease.key],
                owns(node, present)
            else {
                problems.append("n\(node.number) has no lease in the end: \(node.machine.phase(at: now))")
                continue
            }
        }
        let used = Set(nodes.compactMap(\.used))
        if used.count != nodes.count { problems.append("\(used.count) subnets for \(nodes.count) nodes in the end") }
        if etcd.keys.count != nodes.count {
            problems.append("\(etcd.keys.count) leases for \(nodes.count) nodes in the end")
        }
    }
}

/// Lease holders against chance: a seed that fails is a schedule to look at.
@Suite struct LeaseHolderSearchTests {
    @Test(arguments: [false, true], 0..<4)
    func `no schedule gives one subnet to two nodes, and each ends in exactly one of its own`(
        isMeddled: Bool, batch: Int
    ) throws {
        for number in 0..<300 {
            let seed = UInt64(batch * 1_000 + number)
            var world = try LeaseHolderWorld(seed: seed, isMeddled: isMeddled)
            for step in 0..<150 {
                world.step()
                if let problem = world.problems.first {
                    Issue.record("seed \(seed), step \(step): \(problem)")
                    return
                }
            }
            world.settle()
            if let problem = world.problems.first {
                Issue.record("seed \(seed), settling: \(problem)")
                return
            }
        }
    }
}
