// SPDX-License-Identifier: Apache-2.0

package import Leases
import Synchronization

/// What the reconciler has not taken in yet: level-triggered, so that a thousand events between two passes cost one
/// pass. Which leases changed is here; what they are now is in ``NodeStatus``, which must have it before it is posted.
package final class ReconcilerInbox: Sendable {
    struct Content: Sendable {
        /// Whose lease came, changed or went.
        var leases: Set<SubnetKey> = []
        /// A complete snapshot has been seen: what is not in it may be removed.
        var isComplete = false
        var config: ConfigReading?
        /// The own subnet, where it changed.
        var own: SubnetKey??
        /// A subnet that was lost to another node, whether or not there is a new one by now.
        var lost: SubnetKey?
        /// The kernel has something to say.
        var hasDrift = false
        var isAuditDue = false
        /// The watchdog asks whether the loop still runs.
        var pulse: LoopPulse?
    }

    private let content = Mutex(Content())
    /// One element or none, however often something came.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    package init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func take() -> Content {
        content.withLock { content in
            defer { content = Content() }
            return content
        }
    }

    func wake() { signal.yield() }

    package func post(_ changes: [LeaseChange], isComplete: Bool) {
        change { content in
            if isComplete { content.isComplete = true }
            for change in changes { content.leases.insert(change.key) }
        }
    }

    func noteDrift() { change { $0.hasDrift = true } }

    func noteAuditDue() { change { $0.isAuditDue = true } }

    func ask(_ pulse: LoopPulse) { change { $0.pulse = pulse } }

    package func setConfig(_ config: ConfigReading) { change { $0.config = config } }

    package func setOwn(_ key: SubnetKey?) { change { $0.own = .some(key) } }

    /// The own subnet is another's now, and there is none.
    package func lose(_ key: SubnetKey) {
        change { content in
            content.own = .some(nil)
            content.lost = key
        }
    }

    private func change(_ body: (inout Content) -> Void) {
        content.withLock { body(&$0) }
        wake()
    }
}
