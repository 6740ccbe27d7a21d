// SPDX-License-Identifier: Apache-2.0

package import APISchema
import CurlHTTP
import FoundationEssentials

/// What a watch of the leases tells.
package enum LeaseWatchNotice: Sendable {
    /// The whole set; first of all, and again where the daemon can't tell what was missed.
    case snapshot(LeaseListDocument)
    case added(LeaseDocument, revision: String?)
    case updated(LeaseDocument, revision: String?)
    case removed(LeaseDocument, revision: String?)
    /// The connection broke; another is tried, and goes on behind the last event.
    case interrupted(NodeClientError)
}

/// The daemon's event stream of leases, over as many connections as it takes.
///
/// Nothing is told twice and nothing is left out: a new connection says which event was the last (`Last-Event-ID`),
/// and where the daemon no longer knows what came after it, a snapshot comes again. Only a first connection that
/// fails, or an answer that will be the same next time, ends the sequence with an error.
package struct LeaseWatch: AsyncSequence, Sendable {
    package typealias Element = LeaseWatchNotice
    package typealias Failure = NodeClientError

    let http: CurlClient
    let request: CurlRequest
    let server: ServerAddress
    let access: NodeAccess

    package func makeAsyncIterator() -> Iterator { Iterator(watch: self) }

    package struct Iterator: AsyncIteratorProtocol {
        private let watch: LeaseWatch
        private var lines: LineSequence.Iterator?
        private var parser = EventStreamParser()
        private var wasConnected = false
        private var failures = 0

        init(watch: LeaseWatch) { self.watch = watch }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(NodeClientError) -> LeaseWatchNotice? {
            while true {
                guard var lines else {
                    if let notice = try await connect() { return notice }
                    continue
                }
                let line: [UInt8]?
                do {
                    line = try await lines.next(isolation: #isolation)
                } catch {
                    self.lines = nil
                    return try interruption(.unreachable(error, server: watch.server))
                }
                self.lines = lines
                guard let line else {
                    self.lines = nil
                    let error = CurlError.closed(
                        endpoint: watch.request.endpoint, reason: "the daemon ended the stream")
                    return try interruption(.unreachable(error, server: watch.server))
                }
                if let event = parser.take(line), let notice = try watch.notice(event) { return notice }
            }
        }

        /// Opens the stream; a notice where that did not work and will be tried again.
        private mutating func connect() async throws(NodeClientError) -> LeaseWatchNotice? {
            if failures > 0 {
                let pause = Duration.milliseconds(Swift.min(5_000, 125 << Swift.min(failures, 6)))
                do { try await Task.sleep(for: pause) } catch { throw watch.cancelled }
            }
            parser.restart()
            var request = watch.request
            if let id = parser.lastEventID { request.headers.append(CurlHeader("Last-Event-ID", id)) }
            try watch.access.authorize(&request, for: watch.server)
            let stream: CurlStream
            do {
                stream = try await watch.http.stream(request)
            } catch {
                return try interruption(.unreachable(error, server: watch.server))
            }
            guard stream.status == 200 else { return try await refusal(stream) }
            guard stream.headers["Content-Type"]?.hasPrefix("text/event-stream") == true else {
                throw .badAnswer(server: watch.server, status: 200, reason: "it sends no event stream")
            }
            lines = stream.lines.makeAsyncIterator()
            wasConnected = true
            failures = 0
            return nil
        }

        private mutating func refusal(_ stream: CurlStream) async throws(NodeClientError) -> LeaseWatchNotice {
            var body: [UInt8] = []
            var lines = stream.lines.makeAsyncIterator()
            while body.count < 65_536, let line = try? await lines.next(isolation: #isolation) { body += line }
            let error = NodeClient.refusal(status: stream.status, body: body, server: watch.server)
            // 503: the daemon has no leases to show yet.
            guard stream.status == 503 else { throw error }
            return try interruption(error)
        }

        private mutating func interruption(_ error: NodeClientError) throws(NodeClientError) -> LeaseWatchNotice {
            if case .unreachable(let cause, _) = error, cause == .cancelled || cause == .shutDown { throw error }
            guard wasConnected else { throw error }
            failures += 1
            return .interrupted(error)
        }
    }

    private var cancelled: NodeClientError { .unreachable(.cancelled, server: server) }

    private func notice(_ event: EventStreamParser.Event) throws(NodeClientError) -> LeaseWatchNotice? {
        switch event.name {
        case "snapshot": .snapshot(try decode(event))
        case "added": .added(try decode(event), revision: event.id)
        case "updated": .updated(try decode(event), revision: event.id)
        case "removed": .removed(try decode(event), revision: event.id)
        default: nil  // of a later version
        }
    }

    private func decode<Document: Decodable>(_ event: EventStreamParser.Event) throws(NodeClientError) -> Document {
        do {
            return try JSONDecoder().decode(Document.self, from: Data(event.data))
        } catch {
            throw .badAnswer(server: server, status: 200, reason: "its '\(event.name)' event lacks what it should have")
        }
    }
}
