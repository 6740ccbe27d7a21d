// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs an actor's jobs one after another on a queue of its own, so that the kernel's work inside `send` keeps no
/// thread of the common pool.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = unsafe asUnownedSerialExecutor()
        queue.async { unsafe job.runSynchronously(on: executor) }
    }
}
