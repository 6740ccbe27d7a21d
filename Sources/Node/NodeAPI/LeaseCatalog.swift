// SPDX-License-Identifier: Apache-2.0

import Leases
import NodeAgent
import Synchronization

/// The ``LeaseIndex`` of now, made when it is first asked for and again when the revision has moved on; and those of
/// before that somebody is still paging through.
final class LeaseCatalog: Sendable {
    private struct Pinned {
        var index: LeaseIndex
        var until: MonotonicTime
    }

    /// What has come since an index.
    private enum News {
        /// There is no set of leases yet.
        case unknown
        case none
        case changes([LeaseJournal.Entry], LeaseJournal.Mark)
        /// Between two snapshots the set is of neither, which is as good as it gets, and nothing to keep.
        case all([Lease], LeaseJournal.Mark, isWhole: Bool)

        /// More changes than this cost more than a new order.
        static let limit = 64

        init(_ snapshot: NodeStatus.Snapshot, since index: LeaseIndex?) {
            let mark = snapshot.journal.mark
            guard snapshot.leases.isComplete else {
                self = .unknown
                return
            }
            if let index, index.mark == mark {
                self = .none
            } else if let index, index.mark.generation == mark.generation,
                let entries = snapshot.journal.entries(after: index.revision), entries.count <= Self.limit
            {
                self = .changes(Array(entries), mark)
            } else {
                self = .all(Array(snapshot.leases.leases), mark, isWhole: !snapshot.journal.isCollecting)
            }
        }
    }

    private struct State {
        var current: LeaseIndex?
        var pinned: [Pinned] = []
    }

    /// How long a list can be continued after its last page, and how many lists are kept: each costs its leases.
    static let pinTime = Duration.seconds(60)
    static let pinLimit = 4

    private let status: NodeStatus
    private let state = Mutex(State())

    init(status: NodeStatus) { self.status = status }

    /// The newest leases; throws where there are none to be believed yet.
    func current() throws(APIProblem) -> LeaseIndex {
        // One maker at a time: with a thousand clients at a new revision, the others wait for the first one's.
        let index = state.withLock { state -> LeaseIndex? in
            dropStale(&state)
            let known = state.current
            let news = status.read { News($0, since: known) }
            switch news {
            case .unknown: return nil
            case .none: return known
            case .changes(let entries, let mark):
                state.current = known?.applying(entries.lazy.flatMap(\.changes), mark: mark)
                return state.current
            case .all(let leases, let mark, let isWhole):
                let index = LeaseIndex(mark: mark, leases: leases)
                state.current = isWhole ? index : nil
                return index
            }
        }
        guard let index else { throw .notReady(status.read { $0.feedProblem }) }
        return index
    }

    /// Keeps an index for those who hold a continue token of it.
    func pin(_ index: LeaseIndex) {
        let until = status.clock.now + Self.pinTime
        state.withLock { state in
            if let place = state.pinned.firstIndex(where: { $0.index.revision == index.revision }) {
                state.pinned[place].until = until
                return
            }
            if state.pinned.count == Self.pinLimit { state.pinned.removeFirst() }
            state.pinned.append(Pinned(index: index, until: until))
        }
    }

    /// The leases as of a revision of before; `nil` where they are no longer kept.
    func pinned(at revision: Revision) -> LeaseIndex? {
        state.withLock { state in
            dropStale(&state)
            if let place = state.pinned.firstIndex(where: { $0.index.revision == revision }) {
                state.pinned[place].until = status.clock.now + Self.pinTime
                return state.pinned[place].index
            }
            return state.current?.revision == revision ? state.current : nil
        }
    }

    private func dropStale(_ state: inout State) {
        guard !state.pinned.isEmpty else { return }
        let now = status.clock.now
        state.pinned.removeAll { $0.until < now }
    }
}
