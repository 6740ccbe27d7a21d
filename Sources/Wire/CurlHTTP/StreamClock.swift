// SPDX-License-Identifier: Apache-2.0

/// When a stream is late: with its head, with its next byte, or with a word to a consumer that asked about silence.
///
/// Time in which the consumer held the transfer up does not count against the server.
struct StreamClock {
    enum Verdict: Equatable {
        case nothing
        case headIsLate
        case isIdle
        case isSilent
    }

    private(set) var isPaused = false
    private var headDeadline: ContinuousClock.Instant?
    private var idleLimit: Duration?
    private var silenceNotice: Duration?
    private var lastByte: ContinuousClock.Instant?
    private var lastNotice: ContinuousClock.Instant?

    /// The clock of what is not a stream: never late.
    init() {}

    init(request: CurlRequest, start: ContinuousClock.Instant) {
        headDeadline = request.timeout.map { start + $0 }
        idleLimit = request.idleLimit
        silenceNotice = request.silenceNotice
    }

    mutating func headArrived(at now: ContinuousClock.Instant) {
        headDeadline = nil
        lastByte = now
        lastNotice = now
    }

    mutating func received(at now: ContinuousClock.Instant) {
        lastByte = now
        lastNotice = now
    }

    mutating func pause() { isPaused = true }

    mutating func resume(at now: ContinuousClock.Instant) {
        isPaused = false
        received(at: now)
    }

    /// When to look again, if nothing happens before.
    var next: ContinuousClock.Instant? {
        if let headDeadline { return headDeadline }
        guard !isPaused, let lastByte, let lastNotice else { return nil }
        let idle = idleLimit.map { lastByte + $0 }
        let silence = silenceNotice.map { lastNotice + $0 }
        guard let idle, let silence else { return idle ?? silence }
        return min(idle, silence)
    }

    mutating func check(at now: ContinuousClock.Instant) -> Verdict {
        guard let next, next <= now else { return .nothing }
        if headDeadline != nil { return .headIsLate }
        if let idleLimit, let lastByte, lastByte + idleLimit <= now { return .isIdle }
        lastNotice = now
        return .isSilent
    }
}
