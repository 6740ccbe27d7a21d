// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NodeAgent

/// One connection's requests and answers, between the HTTP codec and Hummingbird: what is no request, or too large a
/// one, ends here with a problem; see ``WireHandler`` for the bytes below.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let wire: WireHandler
    private let connections: OpenConnections
    private let listener: Int
    private let table: EndpointTable
    private let metrics: NodeMetrics
    /// The path of the only request that is open, where its answer may be given again.
    private var repeatablePath: String?
    private var isRepeatable = false
    private var status = 0

    init(
        limits: ConnectionLimits, memo: ResponseMemo?, connections: OpenConnections, listener: Int,
        table: EndpointTable, metrics: NodeMetrics
    ) {
        wire = WireHandler(limits: limits, memo: memo, metrics: metrics)
        self.connections = connections
        self.listener = listener
        self.table = table
        self.metrics = metrics
    }

    func handlerAdded(context: ChannelHandlerContext) {
        wire.isUnwelcome = !connections.add(context.channel, of: listener)
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(wire, position: .before(pipeline.handler(type: HTTPResponseEncoder.self)))
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandlers([GzipNegotiation(), GzipNegotiation.compressor()], position: .before(codec))
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { connections.remove(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !wire.isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            wire.progress.requestBegan(at: .now())
            repeatablePath = wire.progress.openRequests == 1 && Self.isRepeatable(head) ? head.path : nil
        case .body(let bytes):
            wire.progress.bodyArrived(bytes.readableBytes)
            // Also one that no route reads: what Hummingbird skips has an end.
            if wire.progress.bodySize > APIRequestContext.largestBody { return wire.refuse(.bodyTooLarge) }
        case .end: wire.progress.requestEnded()
        }
        context.fireChannelRead(data)
    }

    /// One that changes nothing and says nothing of who asks.
    private static func isRepeatable(_ head: HTTPRequest) -> Bool {
        head.method == .get && head.headerFields[.authorization] == nil && head.headerFields[.cookie] == nil
            && head.headerFields[.expect] == nil
            && head.headerFields[.connection].map { $0.lowercased() == "keep-alive" } ?? true
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // What cut the connection off has been said; nothing comes behind that.
        guard !wire.isOver else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            // Nobody is owed one: Hummingbird tells of what it can't read also behind its own answer.
            guard wire.progress.openRequests > 0, !wire.progress.isAnswering else {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return context.close(promise: nil)
            }
            // The compressor counts one answer to a request.
            guard head.status.kind != .informational else {
                promise?.succeed()
                return
            }
            wire.progress.answerBegan()
            status = head.status.code
            isRepeatable = head.headerFields[.eTag] != nil && (status == 200 || status == 304)
            if !isRepeatable || repeatablePath == nil { wire.dropRecording() }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            let route = isRepeatable ? repeatablePath.flatMap { table.route($0) } : nil
            wire.answerEnded(status: status, route: route.map { metrics.http(route: $0, method: "GET") })
            repeatablePath = nil
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Behind requests that are still to be answered, Hummingbird finds it when it gets there.
        let progress = wire.progress
        guard progress.openRequests == 0 || progress.openRequests == 1 && progress.isReadingBody else {
            return context.fireErrorCaught(error)
        }
        switch error {
        case HTTPParserError.headerOverflow: wire.refuse(.headTooLarge)
        case is HTTPParserError, is HTTP1TypeConversionError: wire.refuse(.malformed)
        default: context.fireErrorCaught(error)
        }
    }
}
