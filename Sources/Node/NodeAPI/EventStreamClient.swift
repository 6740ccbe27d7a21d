// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NodeAgent
import Synchronization

/// One reader of the event stream: what waits to be written to it.
///
/// Invariant: never more than ``limit`` chunks wait; a client that lets more come is cut off. It connects again and
/// goes on from its last event.
final class EventStreamClient: Sendable {
    /// Chunks, not events: what happened at once is one chunk, shared by all clients.
    static let limit = 256
    /// After how many beats of the heart a client that has not taken what waited for it is cut off.
    static let patience = 3

    /// Events up to a revision, the same bytes for every client.
    struct Chunk: Sendable {
        /// `nil`: of no place in the history.
        let mark: LeaseJournal.Mark?
        let buffer: ByteBuffer
    }

    let chunks: AsyncStream<Chunk>
    private let continuation: AsyncStream<Chunk>.Continuation
    private let missedBeats = Mutex(0)

    /// What the client wants to hear of.
    let filter: LeaseFilter

    init(filter: LeaseFilter = .none, limit: Int = EventStreamClient.limit) {
        self.filter = filter
        (chunks, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limit))
        self.limit = limit
    }

    private let limit: Int

    /// `false`: the client is too slow, and is cut off.
    func give(_ chunk: Chunk) -> Bool {
        guard case .enqueued = continuation.yield(chunk) else {
            close()
            return false
        }
        return true
    }

    /// Gives a sign of life; `false` where the client did not take the ones before.
    func beat(_ chunk: Chunk) -> Bool {
        guard case .enqueued(let room) = continuation.yield(chunk) else {
            close()
            return false
        }
        let isBehind = limit - room > 1
        let missed = missedBeats.withLock { missed in
            missed = isBehind ? missed + 1 : 0
            return missed
        }
        guard missed < Self.patience else {
            close()
            return false
        }
        return true
    }

    func close() { continuation.finish() }
}
