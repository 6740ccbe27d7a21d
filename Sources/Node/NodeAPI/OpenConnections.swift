// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connections that are open, so that they can be cut off.
///
/// Hummingbird ends a connection by closing its own side and then waits for the client to close the other, which a
/// client need not do; and one that is accepted while the server stops is not told of it at all.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isOver = false
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = .max) { self.limit = limit }

    var count: Int { state.withLock { $0.channels.count } }

    /// Cuts off every connection, those that are still to come included.
    func closeAll() {
        let channels = state.withLock { state in
            state.isOver = true
            return state.channels.values
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// `false`: there are as many as there may be, without this one.
    func add(_ channel: any Channel) -> Bool {
        let (isOver, isWelcome) = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return (state.isOver, state.channels.count <= limit)
        }
        if isOver { channel.close(promise: nil) }
        return isWelcome
    }

    func remove(_ channel: any Channel) {
        _ = state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }
}
