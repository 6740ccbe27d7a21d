// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// How much and how long one connection may take, so that no client costs the others anything.
struct ConnectionLimits: Sendable {
    /// More connections than this of one listener are told so (503) and closed.
    var connections = 4096
    /// From the first byte of a request's head to its last.
    var head = TimeAmount.seconds(10)
    /// From a request's head to the end of its body.
    var body = TimeAmount.seconds(30)
    /// Without a request, and without an answer under way.
    var idle = TimeAmount.seconds(60)
    /// Without a byte of an answer being taken.
    var stall = TimeAmount.seconds(30)
    /// How long a client that is told why it is cut off has to read that.
    var farewell = TimeAmount.seconds(1)
    /// How often a connection is looked at: by so much can the times above be late.
    var tick = TimeAmount.seconds(2)

    /// Of one request's head, in bytes, and its fields.
    static let headSize = 32 * 1024
    static let fieldSize = 16 * 1024
    static let fieldCount = 100
}
