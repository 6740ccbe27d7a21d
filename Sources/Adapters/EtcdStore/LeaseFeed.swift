// SPDX-License-Identifier: Apache-2.0

import Etcd
package import Leases

/// Config and leases: a list at some revision, then a watch from the one behind it.
///
/// Invariant: what was said so far is the state at one revision of etcd, or a part of a snapshot on the way to one.
/// Compaction, and an etcd that was restored from an older snapshot, end here: both mean a new snapshot.
package struct LeaseFeed: AsyncSequence, Sendable {
    package typealias Element = LeaseEvent
    package typealias Failure = LeaseStoreError

    let client: EtcdClient
    let keys: KeySpace

    package func makeAsyncIterator() -> Iterator { Iterator(client: client, keys: keys) }

    package struct Iterator: AsyncIteratorProtocol {
        private enum State {
            /// To be listed (again), after a pause where the last try failed.
            case idle(afterFailure: Bool)
            case listing(RangePages.Iterator, Listing)
            case watching(Watch.Iterator)
        }

        /// What the parts of a snapshot have in common.
        private struct Listing {
            /// From the first part on.
            var mark: HistoryMark?
        }

        private let client: EtcdClient
        private let keys: KeySpace
        private var state: State = .idle(afterFailure: false)
        private var isInterrupted = false
        /// The newest revision that was told.
        private var told = Revision.zero
        /// What the last complete listing was of.
        private var listed: HistoryMark?
        /// What comes next can't be compared with what was told.
        private var startsHistory = true
        private var backoff = Backoff()
        private var random = SystemRandomNumberGenerator()

        init(client: EtcdClient, keys: KeySpace) {
            self.client = client
            self.keys = keys
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(LeaseStoreError) -> LeaseEvent?
        {
            while true {
                switch state {
                case .idle(let afterFailure):
                    if afterFailure { try await pause() }
                    state = .listing(client.pages(RangeRequest(keys.everything)).makeAsyncIterator(), Listing())
                case .listing(let pages, let listing):
                    if let event = try await list(pages, listing) { return event }
                case .watching(let watch):
                    if let event = try await follow(watch) { return event }
                }
            }
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
            let isFirst = listing.mark == nil
            var mark = listing.mark ?? HistoryMark(page.header)
            for keyValue in page.keyValues { mark.listed(keyValue) }
            listing.mark = mark
            let revision = Revision(mark.revision)
            // Also after a compaction: etcd may have been restored in the meantime.
            if isFirst, revision < told || listed?.isContradicted(by: page.header) ?? false { startsHistory = true }
            defer {
                if !page.hasMore {
                    startsHistory = false
                    told = revision
                }
            }
            let (records, config) = read(page.keyValues)
            if page.hasMore {
                state = .listing(pages, listing)
            } else {
                backoff.reset()
                isInterrupted = false
                listed = mark
                state = .watching(client.watch(keys.everything, after: mark).makeAsyncIterator())
            }
            return .snapshot(
                SnapshotPart(
                    revision: revision, records: records, config: isFirst ? config ?? .missing : nil,
                    isFirst: isFirst, isLast: !page.hasMore,
                    startsHistory: startsHistory))
        }

        private mutating func follow(_ watch: Watch.Iterator) async throws(LeaseStoreError) -> LeaseEvent? {
            var watch = watch
            let notice: WatchNotice?
            do {
                notice = try await watch.next(isolation: #isolation)
            } catch {
                throw LeaseStoreError(error)
            }
            state = .watching(watch)
            switch notice {
            case .opened:
                guard isInterrupted else { return nil }
                isInterrupted = false
                return .resumed
            case .interrupted(let error): return try interruption(error)
            case .events(let events, let revision):
                told = Swift.max(told, Revision(revision))
                return changes(events, at: Revision(revision))
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
