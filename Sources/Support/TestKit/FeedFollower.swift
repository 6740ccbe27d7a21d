// SPDX-License-Identifier: Apache-2.0

package import Leases
import Synchronization

/// Follows a feed as the daemon does, into a ``LeaseTable``, and lets a test wait for what is to come.
package final class FeedFollower: Sendable {
    package struct State: Sendable {
        package var table = LeaseTable()
        package var config: ConfigReading?
        /// How often the feed began to list.
        package var snapshotCount = 0
        /// Changes that the table made of what the feed said, those of snapshots included.
        package var changes: [LeaseChange] = []
        /// Events that were changes, not snapshots.
        package var changeCount = 0
        package var interruptions: [LeaseStoreError] = []
        package var resumptions = 0
        /// Why the feed ended, which none does by itself.
        package var ending: String?
    }

    private let content = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    package init<Feed: AsyncSequence & Sendable>(_ feed: Feed) where Feed.Element == LeaseEvent {
        let task = Task { [weak self] in
            do {
                for try await event in feed { self?.content.withLock { $0.take(event) } }
                self?.content.withLock { $0.ending = "it ended" }
            } catch {
                self?.content.withLock { $0.ending = "\(error)" }
            }
        }
        self.task.withLock { $0 = task }
    }

    deinit { task.withLock { $0?.cancel() } }

    package var state: State { content.withLock { $0 } }

    /// Waits until what the feed said so far fulfils a condition.
    package func wait(
        _ what: String, within limit: Duration = .seconds(60), _ condition: (State) throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try !condition(state) {
            guard .now < deadline else {
                let state = state
                throw ConformanceFault(
                    description: """
                        not within \(limit): \(what). The feed: \(state.table.count) leases at \(state.table.revision), \
                        \(state.snapshotCount) snapshots, \(state.changeCount) changes, \
                        \(state.interruptions.map(\.description)), \(state.ending ?? "under way")
                        """)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension FeedFollower.State {
    fileprivate mutating func take(_ event: LeaseEvent) {
        switch event {
        case .snapshot(let part):
            if part.isFirst { snapshotCount += 1 }
            if let config = part.config { self.config = config }
            changes += table.apply(part)
        case .changes(let records, let config, let revision):
            changeCount += 1
            if let config { self.config = config }
            changes += table.apply(records, at: revision)
        case .interrupted(let error): interruptions.append(error)
        case .resumed: resumptions += 1
        }
    }
}
