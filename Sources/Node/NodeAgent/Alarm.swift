// SPDX-License-Identifier: Apache-2.0

import Leases
import Synchronization

/// One timer: setting it to another time forgets the time before.
final class Alarm: Sendable {
    private struct Setting {
        var time: MonotonicTime?
        var task: Task<Void, Never>?
    }

    private let clock: MonotonicClock
    private let ring: @Sendable () -> Void
    private let setting = Mutex(Setting())

    init(clock: MonotonicClock, ring: @escaping @Sendable () -> Void) {
        self.clock = clock
        self.ring = ring
    }

    /// `nil`: none. A ring that is under way already can't be called back.
    func set(_ time: MonotonicTime?) {
        setting.withLock { setting in
            guard setting.time != time else { return }
            setting.task?.cancel()
            setting.time = time
            setting.task = time.map { time in
                Task { [clock, ring] in
                    do {
                        try await clock.sleep(until: time)
                    } catch {
                        return
                    }
                    ring()
                }
            }
        }
    }
}
