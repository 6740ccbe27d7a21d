// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Leases

/// `GET /v1/leases` with `Accept: text/event-stream`.
struct EventStreamRoute: Sendable {
    let broadcast: LeaseBroadcast

    static let mediaType = "text/event-stream"
    /// The largest write, so that a slow client is felt before a large snapshot has been taken in whole.
    private static let writeSize = 256 * 1024

    /// Whether a client would rather have events than a list; who takes anything is not kept waiting for ever.
    static func isWanted(_ accept: AcceptHeader) -> Bool {
        accept.names(mediaType) && accept.quality(of: mediaType) > accept.quality(of: "application/json")
    }

    func response(to request: Request, filter: LeaseFilter) throws(APIProblem) -> Response {
        let last = try Self.lastEvent(request)
        // Said before the response begins, where it still can be a problem.
        let client = try request.method == .head ? nil : broadcast.join(filter)
        let greeting: EventStreamClient.Chunk
        do {
            greeting = try broadcast.greeting(after: last, filter: filter)
        } catch {
            if let client { broadcast.leave(client) }
            throw error
        }
        let headers: HTTPFields = [
            .contentType: Self.mediaType, .cacheControl: "no-store", .vary: "Accept", .xContentTypeOptions: "nosniff",
        ]
        guard let client else { return Response(status: .ok, headers: headers) }
        let guest = Guest(client: client, broadcast: broadcast)
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                defer { guest.leave() }
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await Self.write(greeting, then: client, to: &writer)
                }
                try await writer.finish(nil)
            })
    }

    /// Leaves when the response is dropped as well, written or not.
    private final class Guest: Sendable {
        let client: EventStreamClient
        let broadcast: LeaseBroadcast

        init(client: EventStreamClient, broadcast: LeaseBroadcast) {
            self.client = client
            self.broadcast = broadcast
        }

        func leave() { broadcast.leave(client) }

        deinit { broadcast.leave(client) }
    }

    @concurrent
    private static func write(
        _ greeting: EventStreamClient.Chunk, then client: EventStreamClient, to writer: inout any ResponseBodyWriter
    ) async throws {
        var start = ServerSentEvents(capacity: 16)
        start.retry(2000)
        try await writer.write(start.buffer)
        try await write(greeting.buffer, to: &writer)
        for await chunk in client.chunks {
            // It came in between joining and the greeting, which has it.
            if let known = greeting.mark, let mark = chunk.mark, mark <= known { continue }
            try await write(chunk.buffer, to: &writer)
        }
    }

    @concurrent
    private static func write(_ buffer: ByteBuffer, to writer: inout any ResponseBodyWriter) async throws {
        var rest = buffer
        while let slice = rest.readSlice(length: min(writeSize, rest.readableBytes)), slice.readableBytes > 0 {
            try await writer.write(slice)
        }
    }

    /// A revision that is none of ours is not an error: the client then gets every lease.
    private static func lastEvent(_ request: Request) throws(APIProblem) -> Revision? {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name] else { return nil }
        return Int64(text).map(Revision.init)
    }
}
