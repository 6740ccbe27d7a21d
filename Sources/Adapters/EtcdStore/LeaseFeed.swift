// SPDX-License-Identifier: Apache-2.0

import Etcd
package import Leases

/// Config and leases: a list at some revision, then a watch from the one behind it.
///
/// Invariant: what was said so far is the state at one revision of etcd, or a part of a snapshot on the way to one.
/// Compaction, and an etcd that was restored from an older snapshot, end here: both mean a new snapshot. Before each
/// one but the first etcd is asked whether it still has the history that was followed. Where a compaction took the
/// proof away, the listing itself may speak against it, which ``LeaseTable`` sees, as it has what to compare it with.
package struct LeaseFeed: AsyncSequence, Sendable {
    package typealias Element = LeaseEvent
    package typealias Failure = LeaseStoreError

    let client: EtcdClient
    let keys: KeySpace
    /// How old a listing may be before its watch opens with a look whether etcd is still the same: nobody stops,
    /// restores and starts an etcd in less, and a daemon that was halted in between was so for longer.
    var trust = Duration.seconds(5)

    package func makeAsyncIterator() -> Iterator { Iterator(client: client, keys: keys, trust: trust) }

    package struct Iterator: AsyncIteratorProtocol {
        private enum State {
            /// To be listed (again), after a pause where the last try failed.
            case idle(afterFailure: Bool)
            case listing(RangePages.Iterator, Listing)
            case watching(Watch.Iterator)
        }

        /// What the parts of a snapshot have in common.
        private struct Listing {
            let askedAt = ContinuousClock.now
            /// From the first part on.
            var mark: HistoryMark?
        }

        private let client: EtcdClient
        private let keys: KeySpace
        private let trust: Duration
        private var state: State = .idle(afterFailure: false)
        private var isInterrupted = false
        /// What is known of the history that was told; `nil` before the first complete listing.
        private var known: HistoryMark?
        /// What comes next can't be compared with what was told.
        private var startsHistory = true
        private var backoff = Backoff()
        private var random = SystemRandomNumberGenerator()

        init(client: EtcdClient, keys: KeySpace, trust: Duration) {
            self.client = client
            self.keys = keys
            self.trust = trust
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(LeaseStoreError) -> LeaseEvent?
        {
            while true {
                switch state {
                case .idle(let afterFailure):
                    if afterFailure { try await pause() }
                    if let event = try await compare() { return event }
                case .listing(let pages, let listing):
                    if let event = try await list(pages, listing) { return event }
                case .watching(let watch):
                    if let event = try await follow(watch) { return event }
                }
            }
        }

        /// Asks whether etcd still has the history that was told, and begins to list.
        private mutating func compare() async throws(LeaseStoreError) -> LeaseEvent? {
            if let known, !startsHistory {
                do {
                    if try await client.compare(known, of: keys.everything) == .other { startsHistory = true }
                } catch {
                    state = .idle(afterFailure: true)
                    return try interruption(error)
                }
            }
            state = .listing(client.pages(RangeRequest(keys.everything)).makeAsyncIterator(), Listing())
            return nil
        }

        private mutating func list(
            _ pages: RangePages.Iterator, _ listing: Listing
        ) async throws(LeaseStoreError) -> LeaseEvent? {
            var (pages, listing) = (pages, listing)
            let page: RangeResponse
            do {
                guard let next = try await pages.next(isolation: #isolation) else {
                    state = .idle(afterFailure: true)
                    return nil
                }
                page = next
            } catch {
                state = .idle(afterFailure: true)
                return try interruption(error)
            }
            if let begun = listing.mark, begun.isContradicted(by: page.header) {
                // Restored between two pages: what is listed is of neither history.
                startsHistory = true
                state = .idle(afterFailure: true)
                return nil
            }
            let isFirst = listing.mark == nil
            var mark = listing.mark ?? HistoryMark(page.header)
            for keyValue in page.keyValues { mark.listed(keyValue) }
            listing.mark = mark
            // It may have been restored since it was asked.
            if isFirst, known?.isContradicted(by: page.header) ?? false { startsHistory = true }
            let isNew = startsHistory
            let (records, config) = read(page.keyValues)
            if page.hasMore {
                state = .listing(pages, listing)
            } else {
                backoff.reset()
                isInterrupted = false
                startsHistory = false
                known = mark
                let watch = client.watch(keys.everything, after: mark, trustedUntil: listing.askedAt + trust)
                state = .watching(watch.makeAsyncIterator())
            }
            return .snapshot(
                SnapshotPart(
                    revision: Revision(mark.revision), records: records, config: isFirst ? config ?? .missing : nil,
                    isFirst: isFirst, isLast: !page.hasMore, startsHistory: isNew))
        }

        private mutating func follow(_ watch: Watch.Iterator) async throws(LeaseStoreError) -> LeaseEvent? {
            var watch = watch
            let notice: WatchNotice?
            do {
                notice = try await watch.next(isolation: #isolation)
            } catch {
                throw LeaseStoreError(error)
            }
            known = watch.mark
            state = .watching(watch)
            switch notice {
            case .opened:
                guard isInterrupted else { return nil }
                isInterrupted = false
                return .resumed
            case .interrupted(let error): return try interruption(error)
            case .events(let events, let revision): return changes(events, at: Revision(revision))
            case .replaced:
                startsHistory = true
                state = .idle(afterFailure: false)
                return nil
            case .compacted, nil:
                state = .idle(afterFailure: false)
                return nil
            }
        }

        private mutating func interruption(_ error: EtcdError) throws(LeaseStoreError) -> LeaseEvent {
            let error = LeaseStoreError(error)
            if error.remedy == .cancelled { throw error }
            isInterrupted = true
            return .interrupted(error)
        }

        private mutating func pause() async throws(LeaseStoreError) {
            do {
                try await Task.sleep(for: backoff.next(using: &random))
            } catch {
                throw LeaseStoreError(remedy: .cancelled, description: "the feed was cancelled")
            }
        }

        private func read(_ keyValues: [KeyValue]) -> (records: [LeaseRecord], config: ConfigReading?) {
            var records: [LeaseRecord] = []
            records.reserveCapacity(keyValues.count)
            var config: ConfigReading?
            for keyValue in keyValues {
                switch keys.meaning(of: keyValue.key) {
                case .config: config = ConfigReading(json: keyValue.value)
                case .lease(let name): records.append(LeaseRecord(name: name, keyValue))
                case .other: break
                }
            }
            return (records, config)
        }

        private func changes(_ events: [WatchEvent], at revision: Revision) -> LeaseEvent {
            var records: [LeaseRecord] = []
            var config: ConfigReading?
            for event in events {
                switch event {
                case .put(let keyValue):
                    let read = read([keyValue])
                    records += read.records
                    config = read.config ?? config
                case .delete(let key, let modRevision):
                    switch keys.meaning(of: key) {
                    case .config: config = .missing
                    case .lease(let name):
                        let name = String(decoding: name, as: UTF8.self)
                        records.append(.gone(name: name, at: Revision(modRevision)))
                    case .other: break
                    }
                }
            }
            return .changes(records, config: config, at: revision)
        }
    }
}
