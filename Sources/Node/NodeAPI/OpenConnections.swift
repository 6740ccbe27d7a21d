// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTPTypes
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

    var count: Int { state.withLock { $0.channels.count } }

    /// Cuts off every connection, those that are still to come included.
    func closeAll() {
        let channels = state.withLock { state in
            state.isOver = true
            return state.channels.values
        }
        for channel in channels { channel.close(promise: nil) }
    }

    fileprivate func add(_ channel: any Channel) {
        let isOver = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return state.isOver
        }
        if isOver { channel.close(promise: nil) }
    }

    fileprivate func remove(_ channel: any Channel) {
        _ = state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// One connection's part in it.
    final class Handler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart

        private let connections: OpenConnections

        init(_ connections: OpenConnections) { self.connections = connections }

        func handlerAdded(context: ChannelHandlerContext) { connections.add(context.channel) }

        func handlerRemoved(context: ChannelHandlerContext) { connections.remove(context.channel) }
    }
}
