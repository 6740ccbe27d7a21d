// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where a connection stands between requests and answers, and whether its client takes too long.
struct ConnectionProgress {
    enum Verdict: Hashable {
        case well
        case idle
        case slowHead
        case slowBody
        /// The client does not take what it asked for.
        case slowReader
    }

    /// Requests whose answers have not ended.
    private(set) var openRequests = 0
    /// Whether the answer to the oldest of them has begun.
    private(set) var isAnswering = false
    private(set) var bodySize = 0
    private var headSince: NIODeadline?
    private var bodySince: NIODeadline?
    private var lastActive: NIODeadline
    private var flushed = 0
    private var flushedAt: NIODeadline

    init(at now: NIODeadline) {
        lastActive = now
        flushedAt = now
    }

    /// Nothing asked, nothing owed, nothing half said.
    var isQuiet: Bool { openRequests == 0 && headSince == nil && bodySince == nil }

    /// Whether a request's body is still to come.
    var isReadingBody: Bool { bodySince != nil }

    /// Whether an answer of our own can be put on the wire: none is under way, and one is owed, or nothing is.
    var mayAnswer: Bool { !isAnswering && (openRequests > 0 || !isReadingBody) }

    mutating func bytesArrived(at now: NIODeadline) {
        if bodySince == nil, headSince == nil { headSince = now }
    }

    mutating func requestBegan(at now: NIODeadline) {
        openRequests += 1
        headSince = nil
        bodySince = now
        bodySize = 0
    }

    mutating func bodyArrived(_ bytes: Int) { bodySize += bytes }

    mutating func requestEnded() { bodySince = nil }

    mutating func answerBegan() { isAnswering = true }

    mutating func answerEnded(at now: NIODeadline) {
        isAnswering = false
        openRequests = max(0, openRequests - 1)
        touched(at: now)
    }

    mutating func touched(at now: NIODeadline) { lastActive = now }

    /// - Parameters:
    ///   - written: how many bytes were written in all.
    ///   - waiting: how many of them the client has not taken.
    mutating func verdict(
        at now: NIODeadline, written: Int, waiting: Int, limits: ConnectionLimits
    ) -> Verdict {
        if waiting == 0 || written - waiting != flushed {
            flushed = written - waiting
            flushedAt = now
        } else if now - flushedAt > limits.stall {
            return .slowReader
        }
        if let headSince, openRequests == 0, now - headSince > limits.head { return .slowHead }
        if let bodySince, now - bodySince > limits.body { return .slowBody }
        if isQuiet, waiting == 0, now - lastActive > limits.idle { return .idle }
        return .well
    }
}
