// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import JSONText

/// What a ``Watch`` says.
package enum WatchNotice: Hashable, Sendable {
    /// A stream is open and goes on where the last one ended; etcd's revision when it said so.
    case opened(revision: Int64)
    /// What happened, in order; everything up to the revision is in.
    case events([WatchEvent], revision: Int64)
    /// The stream broke; the next `next()` opens another, after a pause.
    case interrupted(EtcdError)
    /// What comes next was compacted away: the watch is over, and the keys must be listed anew.
    case compacted(at: Int64)
    /// etcd's revision is older than what was seen: it was restored from a snapshot. The watch is over.
    case ranBackwards(revision: Int64)
}

extension EtcdClient {
    /// Follows keys from a revision on, for as long as somebody reads.
    package func watch(_ keys: KeyRange, from revision: Int64) -> Watch {
        Watch(client: self, keys: keys, start: revision)
    }
}

/// Events of a range of keys; a broken stream is opened again, at the next member, behind the last event.
///
/// Silence proves nothing: a member that hangs keeps its connections. So after a while without a word the member is
/// asked for its version, and one that does not answer is left. A member cut off from its quorum ends the stream
/// itself, because the watch asks for a leader.
package struct Watch: AsyncSequence, Sendable {
    package typealias Element = WatchNotice
    package typealias Failure = EtcdError

    let client: EtcdClient
    let keys: KeyRange
    let start: Int64

    package func makeAsyncIterator() -> Iterator { Iterator(client: client, keys: keys, next: start) }

    package struct Iterator: AsyncIteratorProtocol {
        private let client: EtcdClient
        private let keys: KeyRange
        /// The revision that comes next.
        private var next: Int64
        private var lines: LineSequence.Iterator?
        private var endpoint = ""
        private var pause = RetryPause()
        private var isOver = false

        /// With several members a silent one is noticed within 5 s; one that is alone can only be asked again.
        private var silenceNotice: Duration { client.members.endpoints.count > 1 ? .milliseconds(2_500) : .seconds(30) }
        private static let probeLimit = Duration.seconds(2)

        init(client: EtcdClient, keys: KeyRange, next: Int64) {
            self.client = client
            self.keys = keys
            self.next = next
        }

        /// Throws nothing but a cancellation.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(EtcdError) -> WatchNotice? {
            while !isOver {
                do {
                    if lines == nil { try await open() }
                    guard let response = try await read() else { continue }
                    if response.header.revision > 0, response.header.revision < next - 1, try await ranBackwards() {
                        end()
                        return .ranBackwards(revision: response.header.revision)
                    }
                    if let notice = try take(response) { return notice }
                } catch {
                    if error.cause == .cancelled { throw error }
                    lines = nil
                    client.members.moveOn(from: endpoint)
                    return .interrupted(error)
                }
            }
            return nil
        }

        private mutating func open() async throws(EtcdError) {
            try await pause.wait(endpoint: endpoint)
            endpoint = client.members.current
            var json = JSONWriter()
            json.object { json in
                json.member("create_request", object: { json in
                    keys.write(to: &json)
                    json.member("start_revision", String(next))
                    json.member("progress_notify", true)
                })
            }
            lines = try await client.openStream(
                "/v3/watch", json.bytes, to: endpoint, silenceNotice: silenceNotice
            ).makeAsyncIterator()
        }

        /// Whether etcd as a whole is behind what was seen, not only a member that has yet to catch up.
        private func ranBackwards() async throws(EtcdError) -> Bool {
            var request = RangeRequest(KeyRange(start: keys.start, end: []))
            request.countOnly = true
            return try await client.range(request).header.revision < next - 1
        }

        /// The next line; `nil` where there was none for a while.
        private mutating func read() async throws(EtcdError) -> WatchResponse? {
            let item: LineSequence.Iterator.Item
            do {
                item = try await lines?.nextOrSilence() ?? .end
            } catch {
                throw EtcdError(error, endpoint: endpoint)
            }
            switch item {
            case .line(let line): return try decode(line)
            case .end: throw EtcdError(.badAnswer("the watch ended"), endpoint: endpoint)
            case .silence:
                guard await client.probe(endpoint, within: Self.probeLimit) else {
                    throw EtcdError(.silent, endpoint: endpoint)
                }
                return nil
            }
        }

        private func decode(_ line: [UInt8]) throws(EtcdError) -> WatchResponse {
            let answer: StreamLine<WatchResponse>
            do {
                var json = JSONReader(line)
                answer = try StreamLine(&json) { json throws(JSONError) in try WatchResponse(&json) }
            } catch {
                throw EtcdError(.badAnswer("\(error)"), endpoint: endpoint)
            }
            switch answer {
            case .error(let refusal): throw refusal.error(refusal.code ?? .unknown, endpoint: endpoint)
            case .result(let response): return response
            }
        }

        private mutating func take(_ response: WatchResponse) throws(EtcdError) -> WatchNotice? {
            let revision = response.header.revision
            if response.compactRevision > 0 {
                end()
                return .compacted(at: response.compactRevision)
            }
            if response.isCanceled {
                throw EtcdError(.status(.aborted, message: "the watch was canceled: \(response.cancelReason)"),
                    endpoint: endpoint)
            }
            if response.isCreated {
                pause.reset()
                return .opened(revision: revision)
            }
            // The head of a notification of progress promises that everything up to its revision was sent. That of
            // events does not: while a watch catches up, more of them may come from below it.
            guard let last = response.events.last?.modRevision else {
                next = Swift.max(next, revision + 1)
                return nil
            }
            next = Swift.max(next, last + 1)
            return .events(response.events, revision: last)
        }

        private mutating func end() {
            isOver = true
            lines = nil
        }
    }
}

/// Pauses between tries to open a stream: none before the first, then growing and uneven.
struct RetryPause {
    private var tries = 0

    mutating func reset() { tries = 0 }

    mutating func wait(endpoint: String) async throws(EtcdError) {
        defer { tries += 1 }
        guard tries > 0 else { return }
        let longest = min(5_000, 50 << min(tries, 10))
        do {
            try await Task.sleep(for: .milliseconds(Int.random(in: longest / 2...longest)))
        } catch {
            throw EtcdError(.cancelled, endpoint: endpoint)
        }
    }
}
