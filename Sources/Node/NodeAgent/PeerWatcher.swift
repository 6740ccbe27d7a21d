// SPDX-License-Identifier: Apache-2.0

package import Leases
package import Logging
import ServiceLifecycle

/// Follows the set of leases: one list, one watch, for as long as the daemon runs; passes on what changed.
package struct PeerWatcher<Store: LeaseStore>: Service {
    private let store: Store
    private let status: NodeStatus
    private let holder: LeaseHolderInbox
    private let reconciler: ReconcilerInbox
    private let logger: Logger
    /// How long etcd may stay silent at the start before that is worth a word.
    private let patience: Duration
    /// Called when the first leases are there, before anything is made of them.
    private let whenFirstRead: @Sendable () -> Void

    package init(
        store: Store, status: NodeStatus, holder: LeaseHolderInbox, reconciler: ReconcilerInbox, logger: Logger,
        patience: Duration = .seconds(2), whenFirstRead: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.status = status
        self.holder = holder
        self.reconciler = reconciler
        self.logger = logger
        self.patience = patience
        self.whenFirstRead = whenFirstRead
    }

    package func run() async throws {
        // Not the sequence's own `cancelOnGracefulShutdown()`: over a typed failure it crashes the 6.3.1 compiler.
        try await cancelWhenGracefulShutdown {
            let watch = Task { await complainOfSilence() }
            defer { watch.cancel() }
            try await follow()
        }
    }

    /// A packet filter that swallows everything is not told as an error before the request's own time is over.
    private func complainOfSilence() async {
        guard (try? await Task.sleep(for: patience)) != nil else { return }
        guard status.read({ $0.leases.revision == .zero && $0.feedProblem == nil }) else { return }
        logger.warning("etcd has not answered so far; still trying; check --etcd-endpoints and the way there")
    }

    private func follow() async throws(LeaseStoreError) {
        do {
            for try await event in store.feed() { take(event) }
        } catch {
            guard error.remedy == .cancelled else { throw error }
        }
    }

    private func take(_ event: LeaseEvent) {
        switch event {
        case .snapshot(let part):
            if part.isFirst {
                status.metrics.count(.listing)
                if status.read({ $0.leases.revision == .zero }) { whenFirstRead() }
            }
            reportUnreadable(part.records)
            let changes = status.update { snapshot in
                snapshot.feedProblem = nil
                snapshot.feedProblemSince = nil
                let changes = snapshot.leases.apply(part)
                snapshot.journal.record(changes, at: part.revision, isWhole: part.isLast)
                return changes
            }
            if let config = part.config { take(config) }
            reconciler.post(changes, isComplete: part.isLast)
            if part.isLast {
                logger.info(
                    "leases read",
                    metadata: [
                        "leases": "\(status.read { $0.leases.count })", "revision": "\(part.revision)",
                    ])
                holder.post(.leasesKnown)
            }
        case .changes(let records, let config, let revision):
            status.metrics.watched(records.count)
            reportUnreadable(records)
            let changes = status.update { snapshot in
                let changes = snapshot.leases.apply(records, at: revision)
                snapshot.journal.record(changes, at: revision)
                return changes
            }
            if let config {
                take(config)
                holder.post(.leasesKnown)
            }
            if !changes.isEmpty { reconciler.post(changes, isComplete: false) }
            // Also where the key of an unreadable lease went: a subnet may be free.
            let isFreed = records.contains { if case .gone = $0 { true } else { false } }
            if !changes.isEmpty || isFreed { holder.post(.leasesChanged(changes)) }
        case .interrupted(let error):
            let now = status.clock.now
            let isNews = status.update { snapshot in
                defer { snapshot.feedProblem = error.description }
                if snapshot.feedProblemSince == nil { snapshot.feedProblemSince = now }
                return snapshot.feedProblem == nil
            }
            if isNews { status.metrics.count(.interruption) }
            let sentence: Logger.Message =
                status.read { $0.leases.revision == .zero }
                ? "the leases can't be read from etcd yet; trying again until they can; check --etcd-endpoints"
                : "etcd can't be followed at the moment; what is known stays in force"
            logger.log(level: isNews ? .warning : .debug, sentence, metadata: ["error": "\(error)"])
        case .resumed:
            status.metrics.count(.resume)
            let wasBroken = status.update { snapshot in
                defer { snapshot.feedProblem = nil }
                snapshot.feedProblemSince = nil
                return snapshot.feedProblem != nil
            }
            if wasBroken { logger.notice("etcd is being followed again") }
        }
    }

    /// The first good config is put to use at once, while etcd still lists; whether a later one can be is decided
    /// where the own lease is known, by the holder.
    private func take(_ config: ConfigReading) {
        let isFirst = status.update { snapshot in
            snapshot.newestConfig = config
            if case .valid? = snapshot.config { return false }
            snapshot.config = config
            return true
        }
        if isFirst { reconciler.setConfig(config) }
    }

    /// Once each, also where a later snapshot tells of it again.
    private func reportUnreadable(_ records: [LeaseRecord]) {
        for case .unreadable(let bad) in records where status.read({ $0.leases.unreadable[bad.name] != bad }) {
            logger.error(
                "a lease can't be read and is skipped",
                metadata: ["lease": "\(bad.name)", "reason": "\(bad.reason)", "revision": "\(bad.modRevision)"])
        }
    }
}
