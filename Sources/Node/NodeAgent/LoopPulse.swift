// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Proof that a loop still does what it is asked: it is asked now and then, and answers between two of its steps.
package final class LoopPulse: Sendable {
    private let isOwed = Mutex(false)
    /// The loop's name, for the sentence that says that it hangs.
    package let name: String
    private let post: @Sendable (LoopPulse) -> Void

    private init(name: String, post: @escaping @Sendable (LoopPulse) -> Void) {
        self.name = name
        self.post = post
    }

    package convenience init(of inbox: LeaseHolderInbox) {
        self.init(name: "lease") { inbox.post(.pulse($0)) }
    }

    package convenience init(of inbox: ReconcilerInbox) {
        self.init(name: "dataplane") { inbox.ask($0) }
    }

    /// The loop's answer.
    func answer() { isOwed.withLock { $0 = false } }

    /// Asks again where the last answer has come.
    ///
    /// - Returns: whether it had; a loop that owes one has been at one and the same step since it was asked.
    func ask() -> Bool {
        let wasOwed = isOwed.withLock { isOwed in
            defer { isOwed = true }
            return isOwed
        }
        if !wasOwed { post(self) }
        return !wasOwed
    }
}
