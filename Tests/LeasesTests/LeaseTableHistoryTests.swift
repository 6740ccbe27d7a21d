// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// Whether a listing can be of the history that is known, told by what it says of each key.
@Suite struct LeaseTableHistoryTests {
    /// Known up to revision 20: 10.244.1.0/24 of node 1 made at 5, 10.244.2.0/24 of node 2 made at 7; .3 is free.
    private func table() throws -> LeaseTable {
        var table = LeaseTable()
        _ = table.apply(
            LeaseFixtures.snapshot([try lease(1, at: 5), try lease(2, at: 7)], at: 20, startsHistory: true))
        return table
    }

    private func lease(_ number: Int, node: Int? = nil, made: Int64? = nil, at revision: Int64) throws -> Lease {
        Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.\(number).0/24")),
            announcement: LeaseFixtures.announcement(node: node ?? number), kind: .lease(GrantID(Int64(number))),
            createRevision: Revision(made ?? revision), modRevision: Revision(revision))
    }

    private func isNewHistory(_ leases: [Lease], at revision: Int64 = 40) throws -> Bool {
        var table = try table()
        _ = table.apply(LeaseFixtures.snapshot(leases, at: revision))
        return table.history == 2
    }

    @Test func `what stands, was changed, made or deleted since is the same history`() throws {
        #expect(try !isNewHistory([lease(1, at: 5), lease(2, at: 7)]))
        #expect(try !isNewHistory([lease(1, at: 5), lease(2, at: 7)], at: 20))
        #expect(try !isNewHistory([lease(1, node: 9, made: 5, at: 21), lease(2, made: 30, at: 30), lease(3, at: 25)]))
        #expect(try !isNewHistory([]))
    }

    @Test func `what contradicts a revision that is known is another history, however far it has come`() throws {
        #expect(try isNewHistory([lease(1, node: 9, at: 5), lease(2, at: 7)]), "another value at the same revision")
        #expect(try isNewHistory([lease(1, at: 4), lease(2, at: 7)]), "an older one")
        #expect(try isNewHistory([lease(1, made: 5, at: 20), lease(2, at: 7)]), "a write that was never seen")
        #expect(try isNewHistory([lease(1, made: 4, at: 30)]), "a key that was made earlier")
        #expect(try isNewHistory([lease(1, made: 12, at: 30)]), "a key that would have been made anew unseen")
        #expect(try isNewHistory([lease(3, at: 20)]), "a key of which nobody knew")
    }

    @Test func `an unreadable key is held against what is known too`() throws {
        func isNew(_ name: String, at revision: Int64) throws -> Bool {
            var table = try table()
            let bad = UnreadableLease(
                name: name, key: try? SubnetKey(parsing: name), reason: "nonsense", modRevision: Revision(revision))
            _ = table.apply(
                SnapshotPart(
                    revision: Revision(40), records: [.unreadable(bad)], config: nil, isFirst: true, isLast: true))
            return table.history == 2
        }
        #expect(try !isNew("10.244.1.0-24", at: 30))
        #expect(try isNew("10.244.1.0-24", at: 4))
        #expect(try isNew("nonsense", at: 10))
        #expect(try !isNew("nonsense", at: 30))
    }

    @Test func `a contradiction in a listing that broke off is not forgotten by the next one`() throws {
        var table = try table()
        func part(_ leases: [Lease], at revision: Int64, isLast: Bool) -> SnapshotPart {
            SnapshotPart(
                revision: Revision(revision), records: leases.map(LeaseRecord.lease), config: nil, isFirst: true,
                isLast: isLast)
        }
        _ = table.apply(part([try lease(1, at: 4)], at: 40, isLast: false))
        #expect(table.history == 1)
        _ = table.apply(part([try lease(1, at: 4)], at: 41, isLast: true))
        #expect(table.history == 2)
        // And is settled with it.
        _ = table.apply(part([try lease(1, at: 4)], at: 42, isLast: true))
        #expect(table.history == 2)
    }
}
