// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

@Suite struct LeaseTableTests {
    @Test func `a snapshot in parts equals the changes that led to it, and its difference is exact`() throws {
        var random = SplitMix64(seed: 42)
        for _ in 0..<300 {
            var live: [SubnetKey: Lease] = [:]
            var followed = LeaseTable()
            _ = followed.apply(LeaseFixtures.snapshot([], at: 1))
            var revision: Int64 = 1
            var listed = LeaseTable()
            for _ in 0..<Int.random(in: 1..<40, using: &random) {
                revision += 1
                let number = Int.random(in: 0..<12, using: &random)
                let lease = try LeaseFixtures.lease("10.244.\(number).0/24", node: number, revision: revision)
                if Bool.random(using: &random) {
                    live[lease.key] = lease
                    _ = followed.apply([.lease(lease)], at: Revision(revision))
                } else {
                    live[lease.key] = nil
                    _ = followed.apply([.gone(name: "\(lease.key)", at: Revision(revision))], at: Revision(revision))
                }
                guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
                // The other table lists only now and then, in parts.
                let before = Dictionary(uniqueKeysWithValues: listed.leases.map { ($0.key, $0) })
                var changes: [LeaseChange] = []
                let all = Array(live.values)
                let cut = Int.random(in: 0...all.count, using: &random)
                for (index, part) in [all[..<cut], all[cut...]].enumerated() {
                    changes += listed.apply(
                        SnapshotPart(
                            revision: Revision(revision), records: part.map(LeaseRecord.lease), config: nil,
                            isFirst: index == 0, isLast: index == 1))
                }
                var replayed = before
                for change in changes {
                    switch change {
                    case .added(let lease), .updated(let lease, _): replayed[lease.key] = lease
                    case .removed(let lease): replayed[lease.key] = nil
                    }
                }
                #expect(replayed == live)
                #expect(Set(listed.leases) == Set(followed.leases))
                #expect(listed.revision == followed.revision)
            }
        }
    }

    @Test func `half a snapshot removes nothing`() throws {
        var table = LeaseTable()
        let old = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        _ = table.apply(LeaseFixtures.snapshot([old], at: 10))
        let half = SnapshotPart(revision: Revision(20), records: [], config: nil, isFirst: true, isLast: false)
        #expect(table.apply(half) == [])
        #expect(table[old.key] == old)
        let rest = SnapshotPart(revision: Revision(20), records: [], config: nil, isFirst: false, isLast: true)
        #expect(table.apply(rest) == [.removed(old)])
    }

    @Test func `an unreadable lease is no lease, keeps its subnet taken and is forgotten when it goes`() throws {
        var table = LeaseTable()
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        _ = table.apply(LeaseFixtures.snapshot([lease], at: 10))
        let bad = UnreadableLease(name: "10.244.1.0-24", key: lease.key, reason: "no JSON", modRevision: Revision(11))
        #expect(table.apply([.unreadable(bad)], at: Revision(11)) == [.removed(lease)])
        #expect(table.takenKeys == [lease.key])
        #expect(table.apply([.gone(name: "10.244.1.0-24", at: Revision(12))], at: Revision(12)) == [])
        #expect(table.takenKeys == [])
    }

    @Test func `a delete of a lease never seen changes nothing`() {
        var table = LeaseTable()
        #expect(table.apply([.gone(name: "10.9.9.0-24", at: Revision(3))], at: Revision(3)) == [])
        #expect(table.apply([.gone(name: "rubbish", at: Revision(4))], at: Revision(4)) == [])
    }
}
