// SPDX-License-Identifier: Apache-2.0

package import Leases
package import Logging
import ServiceLifecycle

/// In the place of the ``LeaseHolder`` at an authority that has no subnet itself: puts each good network config in
/// force, and notes which subnets were freed.
///
/// A node's holder notes with a chance that lets about three of all nodes try; authorities are few, and where no node
/// reaches etcd there is nobody else.
package struct LeaseBystander<Store: LeaseStore>: Service {
    private let store: Store
    private let status: NodeStatus
    private let inbox: LeaseHolderInbox
    private let logger: Logger

    package init(store: Store, status: NodeStatus, inbox: LeaseHolderInbox, logger: Logger) {
        self.store = store
        self.status = status
        self.inbox = inbox
        self.logger = logger
        status.update { $0.leasesForItself = false }
    }

    package func run() async throws {
        let (freed, continuation) = AsyncStream<Lease>.makeStream()
        await withDiscardingTaskGroup { group in
            // One after another: when a network went away, thousands end at once.
            group.addTask { for await lease in freed { await note(lease) } }
            for await input in inbox.inputs.cancelOnGracefulShutdown() {
                switch input {
                case .leasesKnown: takeConfig()
                case .leasesChanged(let changes):
                    for case .removed(let lease) in changes where lease.grantID != nil { continuation.yield(lease) }
                case .pulse(let pulse): pulse.answer()
                default: break
                }
            }
            continuation.finish()
            group.cancelAll()
        }
    }

    private func takeConfig() {
        let news = status.update { snapshot -> ConfigReading? in
            guard let newest = snapshot.newestConfig else { return nil }
            snapshot.configProblem = newest.problem(at: status.configKey)
            guard case .valid = newest, snapshot.config != newest else { return nil }
            snapshot.config = newest
            return newest
        }
        if case .valid(let config)? = news {
            logger.notice("the network config changed", metadata: ["network": "\(config.network)"])
        }
    }

    private func note(_ lease: Lease) async {
        guard !Task.isCancelled, status.read({ $0.leases[lease.key] == nil }) else { return }
        do {
            try await store.noteFreed(lease)
        } catch {
            // Only the order in which free subnets are handed out suffers.
            logger.debug(
                "a freed subnet could not be noted", metadata: ["subnet": "\(lease.key)", "error": "\(error)"])
        }
    }
}
