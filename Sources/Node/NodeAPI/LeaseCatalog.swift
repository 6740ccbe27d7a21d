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
            let revision = status.read { $0.leases.isComplete ? $0.leases.revision : nil }
            guard let revision else { return nil }
            if let current = state.current, current.revision == revision { return current }
            let (newer, leases) = status.read { ($0.leases.revision, Array($0.leases.leases)) }
            let index = LeaseIndex(revision: newer, leases: leases)
            state.current = index
            return index
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
