// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The lines between the loop, which fills, and the one consumer, which drains.
///
/// Bounded in bytes, newlines included: when it is full the loop pauses the transfer, and the consumer that has drained
/// half of it asks to go on. One read can overshoot the bound by curl's own buffer, 128 KiB.
final class LineBuffer: Sendable {
    enum Step: Sendable {
        case line([UInt8])
        case silence
        case end
        case failure(CurlError)
    }

    enum Taken {
        case step(Step, resume: Bool)
        case empty
    }

    fileprivate struct State {
        var lines: [[UInt8]] = []
        var head = 0
        var bytes = 0
        var isPaused = false
        var ending: Step?
        var waiter: CheckedContinuation<Step, Never>?
        var wantsSilence = false
    }

    private let state = Mutex(State())
    private let limit: Int
    /// The longest line that is taken, in bytes.
    let longestLine: Int

    init(limit: Int, longestLine: Int) {
        self.limit = limit
        self.longestLine = longestLine
    }

    /// How many places of the queue are in use, those of lines already taken included.
    var heldLines: Int { state.withLock { $0.lines.count } }

    // The loop's side.

    func pauseIfFull() -> Bool {
        state.withLock { state in
            if state.bytes >= limit { state.isPaused = true }
            return state.isPaused
        }
    }

    func push(_ lines: [[UInt8]]) {
        let handover = state.withLock { state -> (CheckedContinuation<Step, Never>, Step)? in
            guard state.ending == nil else { return nil }
            state.lines.append(contentsOf: lines)
            for line in lines { state.bytes += line.count + 1 }
            guard let waiter = state.waiter, let step = state.take() else { return nil }
            state.waiter = nil
            return (waiter, step)
        }
        if let (waiter, step) = handover { waiter.resume(returning: step) }
    }

    /// The end; what was cancelled or shut down does not deliver what is still there.
    func finish(_ error: CurlError?) {
        let handover = state.withLock { state -> (CheckedContinuation<Step, Never>, Step)? in
            guard state.ending == nil else { return nil }
            if error == .cancelled || error == .shutDown {
                state.lines = []
                state.head = 0
                state.bytes = 0
            }
            state.ending = error.map { .failure($0) } ?? .end
            guard let waiter = state.waiter, let step = state.take() else { return nil }
            state.waiter = nil
            return (waiter, step)
        }
        if let (waiter, step) = handover { waiter.resume(returning: step) }
    }

    /// Tells a waiting consumer that nothing came; one that is not waiting has no need to know.
    func noticeSilence() {
        let waiter = state.withLock { state in
            guard state.wantsSilence else { return CheckedContinuation<Step, Never>?.none }
            return state.waiter.take()
        }
        waiter?.resume(returning: .silence)
    }

    // The consumer's side.

    func take() -> Taken {
        state.withLock { state in
            guard let step = state.take() else { return .empty }
            return .step(step, resume: state.leavesPause(limit: limit))
        }
    }

    /// Leaves a continuation for the next step, or uses it where there is one by now; `true` where the transfer is to
    /// go on. Two consumers at once are a mistake; the second is told it is over.
    func wait(_ continuation: CheckedContinuation<Step, Never>, wantsSilence: Bool) -> Bool {
        let (step, resume) = state.withLock { state -> (Step?, Bool) in
            if state.waiter != nil { return (.end, false) }
            if let step = state.take() { return (step, state.leavesPause(limit: limit)) }
            state.waiter = continuation
            state.wantsSilence = wantsSilence
            return (nil, false)
        }
        if let step { continuation.resume(returning: step) }
        return resume
    }
}

extension LineBuffer.State {
    /// The next line, or after the last one the ending, again and again.
    fileprivate mutating func take() -> LineBuffer.Step? {
        guard head < lines.count else { return ending }
        let line = lines[head]
        lines[head] = []
        head += 1
        bytes -= line.count + 1
        if head == lines.count {
            lines.removeAll(keepingCapacity: lines.count <= 1024)
            head = 0
        } else if head >= 1024, head * 2 >= lines.count {
            // A consumer that never quite catches up must not keep what it took.
            lines.removeFirst(head)
            head = 0
        }
        return .line(line)
    }

    fileprivate mutating func leavesPause(limit: Int) -> Bool {
        guard isPaused, bytes <= limit / 2 else { return false }
        isPaused = false
        return true
    }
}
