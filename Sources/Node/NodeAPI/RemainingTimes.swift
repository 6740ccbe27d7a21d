// SPDX-License-Identifier: Apache-2.0

import Leases
import NodeAgent
import Synchronization

/// What is left of leases, as etcd last said: the one thing that a GET may ask etcd for, and not more often than every
/// ``lifetime`` for one lease.
///
/// A reading is never too much: until it is read again a lease may have been renewed, but not shortened; one that was
/// revoked is gone from the leases first.
final class RemainingTimes: Sendable {
    private struct Reading {
        let end: MonotonicTime
        let readAt: MonotonicTime
    }

    static let lifetime = Duration.seconds(2)
    private static let capacity = 16_384

    private let clock: MonotonicClock
    private let readings = Mutex<[GrantID: Reading]>([:])

    init(clock: MonotonicClock) { self.clock = clock }

    /// `nil` where the grant is gone or etcd does not say in time.
    func remaining(of grant: GrantID, ask: () async -> Duration?) async -> Duration? {
        let now = clock.now
        if let known = readings.withLock({ $0[grant] }), now - known.readAt < Self.lifetime, known.end > now {
            return known.end - now
        }
        guard let left = await ask() else { return nil }
        readings.withLock { readings in
            if readings.count >= Self.capacity { readings.removeAll(keepingCapacity: true) }
            // Counted from before the question: rather too little than too much.
            readings[grant] = Reading(end: now + left, readAt: now)
        }
        return left
    }
}
