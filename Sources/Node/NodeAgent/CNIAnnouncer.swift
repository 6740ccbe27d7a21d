// SPDX-License-Identifier: Apache-2.0

import Leases
package import Logging
import ServiceLifecycle

/// Keeps the file that tells container runtimes of the pods' network: put in place once the node's subnet can be used,
/// never before, and put back where somebody took it away.
///
/// It stays when the daemon ends and when the lease is lost: what the plugin's STATUS then says keeps new pods away, and
/// a runtime that found no configuration would take another network's for this one.
package actor CNIAnnouncer: Service {
    /// How the file was found.
    package struct Outcome: Hashable, Sendable {
        /// It was missing or another, and is in place now.
        package let isWritten: Bool
        /// Other networks' files that runtimes, which take the first by name, take instead.
        package let earlier: [String]

        package init(isWritten: Bool, earlier: [String]) {
            self.isWritten = isWritten
            self.earlier = earlier
        }
    }

    private let status: NodeStatus
    private let resync: Duration
    private let logger: Logger
    private let put: @Sendable () throws -> Outcome
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private var isWanted = false
    private var random = SystemRandomNumberGenerator()
    private var backoff = Backoff(first: .milliseconds(500), limit: .seconds(30))

    /// - Parameter put: puts the file in place unless it is there.
    package init(
        status: NodeStatus, resync: Duration, logger: Logger, put: @escaping @Sendable () throws -> Outcome
    ) {
        self.status = status
        self.resync = resync
        self.logger = logger
        self.put = put
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        status.update { $0.cni = CNIStatus() }
    }

    /// The subnet can be used. A failure is told and tried again, and keeps nobody waiting.
    package func announce() {
        isWanted = true
        if !attempt() { signal.yield() }
    }

    package func run() async throws {
        let looks = signals.cancelOnGracefulShutdown()
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            group.addTask { [resync, signal] in
                while (try? await Task.sleep(for: resync)) != nil { signal.yield() }
            }
            for await _ in looks {
                guard isWanted, !attempt() else { continue }
                let pause = backoff.next(using: &random)
                group.addTask { [signal] in
                    if (try? await Task.sleep(for: pause)) != nil { signal.yield() }
                }
            }
        }
    }

    private func attempt() -> Bool {
        let before = status.read { $0.cni ?? CNIStatus() }
        do {
            let outcome = try put()
            backoff.reset()
            if outcome.isWritten {
                logger.notice(
                    before.isWritten && before.problem == nil
                        ? "the CNI configuration was changed or taken away by others, and is back"
                        : "the CNI configuration is in place")
            }
            for name in outcome.earlier where !before.earlier.contains(name) {
                logger.warning(
                    "container runtimes take another CNI configuration before this node's; remove or rename it",
                    metadata: ["file": "\(name)"])
            }
            status.update { $0.cni = CNIStatus(isWritten: true, earlier: outcome.earlier) }
            return true
        } catch {
            let problem = "\(error)"
            if problem != before.problem {
                logger.error(
                    "the CNI configuration can't be put in place, so no pods are started; trying again",
                    metadata: ["error": "\(problem)"])
            }
            status.update { $0.cni = CNIStatus(isWritten: before.isWritten, problem: problem, earlier: before.earlier) }
            return false
        }
    }
}
