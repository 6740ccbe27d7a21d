// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Takes what can't be copied from the thread that made it to the one that will use it.
final class Handover<Value: ~Copyable & Sendable>: Sendable {
    private let slot = Mutex<Value?>(nil)

    func put(_ value: consuming Value) {
        var value: Value? = consume value
        slot.withLock { $0 = value.take() }
    }

    func take() throws(NetlinkError) -> Value {
        guard let value = slot.withLock({ $0.take() }) else {
            throw NetlinkError(operand: "netlink", cause: .unanswered)
        }
        return value
    }
}
