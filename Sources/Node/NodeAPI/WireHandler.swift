// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import NodeAgent

/// One connection's bytes: cuts off clients that take too long, answers from the ``ResponseMemo``, and collects what
/// is answered for it. Stands between the network (or TLS) and the HTTP codec.
///
/// Confined to its event loop, as every handler.
final class WireHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// A request that may come in the same bytes again, and its answer so far.
    private struct Recording {
        let request: ByteBuffer
        let stamp: ResponseMemo.Stamp
        let start: NIODeadline
        var response = ByteBuffer()
    }

    private let limits: ConnectionLimits
    /// `nil`: every request is to be looked at.
    private let memo: ResponseMemo?
    private let metrics: NodeMetrics
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var recording: Recording?
    /// Something came that the memo can't judge: from now on it is not asked.
    private var isOpaque = false
    /// Something was passed on since the last end of a read.
    private var hasPassedOn = false
    private var written = 0
    private var overSince: NIODeadline?

    var progress: ConnectionProgress
    /// More connections are open than may be.
    var isUnwelcome = false
    /// Nothing is read any more.
    var isOver: Bool { overSince != nil }

    init(limits: ConnectionLimits, memo: ResponseMemo?, metrics: NodeMetrics) {
        self.limits = limits
        self.memo = memo
        self.metrics = metrics
        progress = ConnectionProgress(at: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        guard !isUnwelcome else { return refuse(.tooManyConnections) }
        let now = NIODeadline.now()
        if let memo, !isOpaque {
            let bytes = unwrapInboundIn(data)
            if progress.isQuiet {
                if context.channel.isWritable, let hit = memo.hit(bytes, at: now) {
                    return answer(hit, at: now, context)
                }
                if ResponseMemo.isWhole(bytes) {
                    // A copy of its own: the buffer is part of a larger one.
                    recording = Recording(
                        request: ByteBuffer(bytes: bytes.readableBytesView), stamp: memo.stamp, start: now)
                } else {
                    isOpaque = true
                }
            } else {
                isOpaque = true
            }
            if isOpaque { recording = nil }
        }
        progress.bytesArrived(at: now)
        hasPassedOn = true
        context.fireChannelRead(data)
    }

    /// Nobody above has to hear of a read that was answered here.
    func channelReadComplete(context: ChannelHandlerContext) {
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }

    private func answer(_ hit: ResponseMemo.Hit, at now: NIODeadline, _ context: ChannelHandlerContext) {
        progress.touched(at: now)
        written += hit.response.readableBytes
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(hit.response)), promise: nil)
        hit.route.count(status: hit.status, took: .nanoseconds((NIODeadline.now() - now).nanoseconds))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        written += part.readableBytes
        if recording != nil, case .byteBuffer(let bytes) = part {
            recording?.response.writeImmutableBuffer(bytes)
            if recording?.response.readableBytes ?? 0 > ResponseMemo.responseSize { recording = nil }
        }
        context.write(data, promise: promise)
    }

    /// Whether a copy is kept of what is being answered.
    var isRecording: Bool { recording != nil }

    /// What is being answered will not be given again: an event stream never ends, and must not cost its copy.
    func dropRecording() { recording = nil }

    /// The answer has ended; `route`: it may be given again.
    func answerEnded(status: Int, route: HTTPRouteMetrics?) {
        let now = NIODeadline.now()
        progress.answerEnded(at: now)
        guard let recording else { return }
        self.recording = nil
        guard let memo, let route, !isOpaque, progress.isQuiet else { return }
        memo.keep(
            ResponseMemo.Hit(response: recording.response, status: status, route: route), for: recording.request,
            stamp: recording.stamp, at: recording.start)
    }

    /// Says why, if an answer can still be said, and ends the connection.
    func refuse(_ refusal: Refusal) {
        guard let context, !isOver else { return }
        overSince = .now()
        recording = nil
        guard progress.mayAnswer else { return context.close(promise: nil) }
        metrics.http(route: "unmatched", method: "other").count(
            status: refusal.problem.status.code, took: .zero)
        // Its side stays open for a moment: with bytes unread, closing would take the answer back (RFC 9112, 9.6).
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(refusal.bytes)), promise: nil)
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        setTimer(context, in: limits.farewell)
    }

    private func setTimer(_ context: ChannelHandlerContext, in time: TimeAmount? = nil) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time ?? limits.tick) { [weak self] in
            self?.look()
        }
    }

    private func look() {
        guard let context, context.channel.isActive else { return }
        if isOver { return context.close(promise: nil) }
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        switch progress.verdict(at: .now(), written: written, waiting: waiting, limits: limits) {
        case .well: setTimer(context)
        case .idle, .slowReader: context.close(promise: nil)
        case .slowHead, .slowBody: refuse(.slow)
        }
    }
}
