// SPDX-License-Identifier: Apache-2.0

package import Leases
package import NodeAgent
import Synchronization

/// A clock that stands still until a test moves it on.
package final class TestClock: Sendable {
    private struct Sleeper {
        let until: MonotonicTime
        let waker: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = MonotonicTime(sinceStart: .seconds(1_000))
        var sleepers: [Int: Sleeper] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var clock: MonotonicClock {
        MonotonicClock(now: { self.now }, sleep: { try await self.sleep(until: $0) })
    }

    package var now: MonotonicTime { state.withLock { $0.now } }

    /// How many sleep.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// When the next one wants to be woken.
    package var nextWake: MonotonicTime? { state.withLock { $0.sleepers.values.map(\.until).min() } }

    package func advance(by step: Duration) {
        let woken = state.withLock { state in
            state.now = state.now + step
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.waker)
        }
        for waker in woken { waker.resume() }
    }

    private func sleep(until time: MonotonicTime) async throws {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waker in
                let isOver: Bool? = state.withLock { state in
                    if Task.isCancelled { return nil }
                    guard state.now < time else { return true }
                    state.sleepers[number] = Sleeper(until: time, waker: waker)
                    return false
                }
                switch isOver {
                case nil: waker.resume(throwing: CancellationError())
                case true?: waker.resume()
                case false?: break
                }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number)?.waker }?.resume(throwing: CancellationError())
        }
    }
}
