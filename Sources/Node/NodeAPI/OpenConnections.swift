// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connections that are open, so that they can be cut off.
///
/// Hummingbird ends a connection by closing its own side and then waits for the client to close the other, which a
/// client need not do; and one that is accepted while the server stops is not told of it at all.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: (channel: any Channel, listener: Int)] = [:]
        /// How many each listener has.
        var counts: [Int] = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = .max) { self.limit = limit }

    var channels: [any Channel] { state.withLock { $0.channels.values.map(\.channel) } }

    var count: Int { state.withLock { $0.channels.count } }

    /// Cuts off every connection, those that are still to come included.
    func closeAll() {
        let channels = state.withLock { state in
            state.isOver = true
            return state.channels.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// A listener's own count: who fills one up, those outside say, leaves the others as they are.
    func addListener() -> Int {
        state.withLock { state in
            state.counts.append(0)
            return state.counts.count - 1
        }
    }

    /// `false`: the listener has as many as it may, without this one.
    func add(_ channel: any Channel, of listener: Int) -> Bool {
        let (isOver, isWelcome) = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = (channel, listener)
            state.counts[listener] += 1
            return (state.isOver, state.counts[listener] <= limit)
        }
        if isOver { channel.close(promise: nil) }
        return isWelcome
    }

    func remove(_ channel: any Channel) {
        state.withLock { state in
            guard let left = state.channels.removeValue(forKey: ObjectIdentifier(channel)) else { return }
            state.counts[left.listener] -= 1
        }
    }
}
