// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Takes a connection from the thread that made it to the one that will use it.
final class Handover: Sendable {
    private let slot = Mutex<RouteConnection?>(nil)

    func put(_ connection: consuming RouteConnection) {
        var connection: RouteConnection? = consume connection
        slot.withLock { $0 = connection.take() }
    }

    func take() throws(NetlinkError) -> RouteConnection {
        guard let connection = slot.withLock({ $0.take() }) else {
            throw NetlinkError(operand: "netlink", cause: .unanswered)
        }
        return connection
    }
}
