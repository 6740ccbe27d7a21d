// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Synchronization

/// What the masquerader has to look at: level-triggered, the newest wish wins.
final class MasqueradeInbox: Sendable {
    private let content = Mutex<Masquerade?>(nil)
    /// One element or none, however often something came.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// `nil` until the node knows its subnet.
    var wanted: Masquerade? { content.withLock { $0 } }

    /// Wakes nobody: who wants it writes it first.
    func want(_ masquerade: Masquerade) { content.withLock { $0 = masquerade } }

    func wake() { signal.yield() }
}
