// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CurlHTTP

@Suite struct LineBufferTests {
    private func lines(_ buffer: LineBuffer) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while case .step(.line(let line), _) = buffer.take() { lines.append(line) }
        return lines
    }

    @Test func `random text in random pieces comes out as its lines`() {
        for seed in 0..<200 {
            var random = SystemRandomNumberGenerator()
            let alphabet = [UInt8(ascii: "\n"), 0, 0xFF, UInt8(ascii: "a")]
            let length = Int.random(in: 0...300, using: &random)
            let text: [UInt8] = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let buffer = LineBuffer(limit: 1 << 20, longestLine: 1 << 20)
            var splitter = LineSplitter(buffer: buffer)
            var rest = text[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 1...20, using: &random)))
                rest = rest.dropFirst(piece.count)
                guard case .taken = piece.withUnsafeBytes({ splitter.append($0) }) else {
                    Issue.record("not taken")
                    return
                }
            }
            splitter.finish(nil)
            let newline = UInt8(ascii: "\n")
            var wanted: [[UInt8]] = text.split(separator: newline, omittingEmptySubsequences: false).map { Array($0) }
            if wanted.last?.isEmpty == true { wanted.removeLast() }
            #expect(lines(buffer) == wanted, "seed \(seed): \(text)")
        }
    }

    @Test func `a full buffer takes nothing until half of it is drained`() {
        let buffer = LineBuffer(limit: 100, longestLine: 1000)
        var splitter = LineSplitter(buffer: buffer)
        let bytes = Array(repeating: UInt8(ascii: "\n"), count: 100)
        bytes.withUnsafeBytes { bytes in
            guard case .taken = splitter.append(bytes) else { return fail("not taken while empty") }
            guard case .full = splitter.append(bytes) else { return fail("empty lines count too") }
        }
        for drained in 1...100 {
            guard case .step(_, let resume) = buffer.take() else { return fail("it is empty") }
            #expect(resume == (drained == 50), "after \(drained)")
        }
        guard case .empty = buffer.take() else { return fail("more than was put in") }
    }

    @Test func `what a consumer took is not kept, although it never catches up`() {
        let buffer = LineBuffer(limit: 1 << 30, longestLine: 1000)
        buffer.push([[0]])
        for number in 0..<100_000 {
            buffer.push([Array("\(number)".utf8)])
            guard case .step = buffer.take() else { return fail("it is empty") }
        }
        #expect(buffer.heldLines < 4096)
    }

    @Test func `the end comes after the last line, a cancellation before`() {
        let ended = LineBuffer(limit: 100, longestLine: 100)
        ended.push([[1]])
        ended.finish(nil)
        ended.push([[2]])
        #expect(lines(ended) == [[1]])
        guard case .step(.end, _) = ended.take() else { return fail("not at the end") }

        let cancelled = LineBuffer(limit: 100, longestLine: 100)
        cancelled.push([[1]])
        cancelled.finish(.cancelled)
        #expect(lines(cancelled).isEmpty)
        guard case .step(.failure(.cancelled), _) = cancelled.take() else { return fail("not cancelled") }
    }

    @Test func `silence is told to those who asked, while they wait`() async {
        let buffer = LineBuffer(limit: 100, longestLine: 100)
        let step = await withCheckedContinuation { continuation in
            _ = buffer.wait(continuation, wantsSilence: true)
            buffer.noticeSilence()
        }
        guard case .silence = step else { return fail("\(step)") }
        buffer.noticeSilence()
        let next = await withCheckedContinuation { continuation in
            _ = buffer.wait(continuation, wantsSilence: false)
            buffer.noticeSilence()
            buffer.push([[7]])
        }
        guard case .line([7]) = next else { return fail("\(next)") }
    }

    @Test func `a second consumer is turned away`() async {
        let buffer = LineBuffer(limit: 100, longestLine: 100)
        let step = await withCheckedContinuation { first in
            _ = buffer.wait(first, wantsSilence: false)
            Task {
                let second = await withCheckedContinuation { _ = buffer.wait($0, wantsSilence: false) }
                guard case .end = second else { return fail("\(second)") }
                buffer.push([[1]])
            }
        }
        guard case .line([1]) = step else { return fail("\(step)") }
    }
}

@Suite struct StreamClockTests {
    private let start = ContinuousClock.now

    private func clock(idle: Duration? = nil, silence: Duration? = nil) -> StreamClock {
        StreamClock(
            request: CurlRequest(url: "http://h", timeout: .seconds(1), idleLimit: idle, silenceNotice: silence),
            start: start)
    }

    @Test func `the head is late after its limit, and never once it was there`() {
        var clock = clock()
        #expect(clock.next == start + .seconds(1))
        #expect(clock.check(at: start + .milliseconds(999)) == .nothing)
        #expect(clock.check(at: start + .seconds(1)) == .headIsLate)
        clock.headArrived(at: start + .seconds(1))
        #expect(clock.next == nil)
        #expect(clock.check(at: start + .seconds(1000)) == .nothing)
    }

    @Test func `silence is told again and again, idleness ends it`() {
        var clock = clock(idle: .seconds(10), silence: .seconds(4))
        clock.headArrived(at: start)
        #expect(clock.check(at: start + .seconds(4)) == .isSilent)
        #expect(clock.check(at: start + .seconds(5)) == .nothing)
        #expect(clock.check(at: start + .seconds(8)) == .isSilent)
        #expect(clock.next == start + .seconds(10))
        #expect(clock.check(at: start + .seconds(10)) == .isIdle)
        clock.received(at: start + .seconds(10))
        #expect(clock.next == start + .seconds(14))
    }

    @Test func `a pause stops the clock, which starts anew behind it`() {
        var clock = clock(idle: .seconds(10))
        clock.headArrived(at: start)
        clock.pause()
        #expect(clock.next == nil)
        clock.resume(at: start + .seconds(100))
        #expect(clock.next == start + .seconds(110))
    }

    @Test func `what is no stream is never late`() { #expect(StreamClock().next == nil) }
}
