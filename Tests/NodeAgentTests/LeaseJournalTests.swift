// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@Suite struct LeaseJournalTests {
    private func change(_ number: Int) throws -> LeaseChange {
        .added(try LeaseFixtures.lease("10.244.\(number).0/24", node: number))
    }

    @Test func `the first snapshot is where it starts, not a change`() throws {
        var journal = LeaseJournal()
        #expect(journal.entries(after: .zero) == nil)
        journal.record([try change(1)], at: Revision(5), isWhole: false)
        #expect(journal.isCollecting)
        journal.record([try change(2)], at: Revision(5))
        #expect(!journal.isCollecting)
        #expect(journal.entries(after: Revision(5))?.isEmpty == true)
        #expect(journal.entries(after: Revision(4)) == nil)
        #expect(journal.entries(after: Revision(6)) == nil)
    }

    @Test func `what came after a revision is told in order`() throws {
        var journal = LeaseJournal()
        journal.record([], at: Revision(5))
        journal.record([try change(1)], at: Revision(6))
        journal.record([], at: Revision(7))
        journal.record([try change(2), try change(3)], at: Revision(9))
        #expect(journal.entries(after: Revision(5))?.map(\.revision) == [Revision(6), Revision(9)])
        #expect(journal.entries(after: Revision(7))?.flatMap(\.changes) == [try change(2), try change(3)])
        #expect(journal.entries(after: Revision(9))?.isEmpty == true)
    }

    @Test func `the parts of a later snapshot are one entry`() throws {
        var journal = LeaseJournal()
        journal.record([], at: Revision(5))
        journal.record([try change(1)], at: Revision(8), isWhole: false)
        #expect(journal.end == Revision(5))
        journal.record([try change(2)], at: Revision(8))
        let entries = try #require(journal.entries(after: Revision(5)))
        #expect(entries.map(\.changes) == [[try change(1), try change(2)]])
    }

    @Test func `no more is kept than is worth it, and nothing is lost in silence`() throws {
        var journal = LeaseJournal(capacity: 4)
        journal.record([], at: Revision(5))
        for revision in 6...40 { journal.record([try change(revision)], at: Revision(Int64(revision))) }
        #expect(journal.entries(after: Revision(5)) == nil)
        #expect(try #require(journal.entries(after: Revision(36))).count == 4)
        let oldest = journal.start
        #expect(try #require(journal.entries(after: oldest)).count <= 8)
        #expect(journal.entries(after: oldest)?.first?.revision == oldest.next)
        let generation = journal.generation
        journal.record(try (0..<5).map { try change($0) }, at: Revision(41))
        #expect(journal.entries(after: Revision(40)) == nil)
        #expect(journal.generation != generation)
    }

    @Test func `a history that runs backwards is another one`() throws {
        var journal = LeaseJournal()
        journal.record([], at: Revision(50))
        let generation = journal.generation
        journal.record([try change(1)], at: Revision(20))
        #expect(journal.generation != generation)
        #expect(journal.start == Revision(20))
        #expect(journal.entries(after: Revision(50)) == nil)
        // The same revision with another content as well.
        journal.record([try change(2)], at: Revision(20))
        #expect(journal.generation == generation + 2)
        journal.record([], at: Revision(20))
        #expect(journal.generation == generation + 2)
    }

    @Test func `who follows is woken by a change and by the own subnet, once for many`() async throws {
        let status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())
        for revision in 5...8 { status.update { $0.journal.record([], at: Revision(Int64(revision))) } }
        var signals = status.leaseSignals.makeAsyncIterator()
        #expect(await signals.next() != nil)
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        status.update { $0.lease = lease }
        #expect(await signals.next() != nil)
    }
}
