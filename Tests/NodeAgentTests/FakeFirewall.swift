// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Synchronization

/// A ``MasqueradeDriver`` over one value, which others may change.
final class FakeFirewall: MasqueradeDriver {
    struct Content: Sendable {
        var table: Masquerade?
        var looks = 0
        /// When the table was written.
        var writes: [ContinuousClock.Instant] = []
        var error: DataplaneError?
        /// Somebody takes the table away as soon as it was written.
        var isFoughtOver = false
        /// Whoever writes the table is told so only after somebody who heard of it has looked.
        var lingers = false
    }

    private let content = Mutex(Content())
    private let listeners = Mutex<[AsyncStream<Void>.Continuation]>([])

    func read<Value: Sendable>(_ body: (Content) -> Value) -> Value { content.withLock { body($0) } }

    var isListenedTo: Bool { listeners.withLock { !$0.isEmpty } }

    /// The kernel tells of it.
    func change(_ body: (inout Content) -> Void) {
        content.withLock { body(&$0) }
        tell()
    }

    private func tell() { for listener in listeners.withLock({ $0 }) { listener.yield() } }

    func has(_ masquerade: Masquerade) async throws(DataplaneError) -> Bool {
        let (error, table) = content.withLock { content in
            content.looks += 1
            return (content.error, content.table)
        }
        if let error { throw error }
        return table == masquerade
    }

    func apply(_ masquerade: Masquerade) async throws(DataplaneError) {
        if let error = read({ $0.error }) { throw error }
        change { content in
            content.writes.append(.now)
            content.table = content.isFoughtOver ? nil : masquerade
        }
        let (lingers, looks) = read { ($0.lingers, $0.looks) }
        let limit = ContinuousClock.now + .seconds(10)
        while lingers, read({ $0.looks }) == looks, ContinuousClock.now < limit {
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    func withdraw() async throws(DataplaneError) { change { $0.table = nil } }

    func changes() async throws(DataplaneError) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        listeners.withLock { $0.append(continuation) }
        return stream
    }
}
