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
    case compacted
    /// etcd's history is not the one that was followed: it was restored from a snapshot. The watch is over.
    case replaced(revision: Int64)
}

extension EtcdClient {
    /// Follows keys from behind a mark on, for as long as somebody reads.
    ///
    /// - Parameter trustedUntil: from when on etcd may have been replaced since the mark was made; `nil`: never.
    package func watch(
        _ keys: KeyRange, after mark: HistoryMark, trustedUntil: ContinuousClock.Instant? = nil
    ) -> Watch {
        Watch(client: self, keys: keys, mark: mark, trustedUntil: trustedUntil)
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
    let mark: HistoryMark
    let trustedUntil: ContinuousClock.Instant?

    package func makeAsyncIterator() -> Iterator {
        Iterator(client: client, keys: keys, mark: mark, trustedUntil: trustedUntil)
    }

    package struct Iterator: AsyncIteratorProtocol {
        private let client: EtcdClient
        private let keys: KeyRange
        /// What is known of the history that is followed.
        package private(set) var mark: HistoryMark
        private var lines: LineSequence.Iterator?
        private var openedAt: ContinuousClock.Instant?
        private var endpoint = ""
        private var pause = RetryPause()
        /// Whether there was a time since the mark in which etcd may have been replaced.
        private var isInDoubt = false
        /// Before the first stream stands.
        private var trustedUntil: ContinuousClock.Instant?
        private var isOver = false

        /// With several members one that is silent, and then silent again when it is probed, is left after 3.5 s: in 5 s
        /// the next one's stream is to stand, also on a busy machine. One that is alone can only be asked again.
        private var silenceNotice: Duration { client.members.endpoints.count > 1 ? .seconds(2) : .seconds(30) }
        private static let probeLimit = Duration.milliseconds(1_500)

        init(client: EtcdClient, keys: KeyRange, mark: HistoryMark, trustedUntil: ContinuousClock.Instant?) {
            self.client = client
            self.keys = keys
            self.mark = mark
            self.trustedUntil = trustedUntil
        }

        /// Throws nothing but a cancellation.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(EtcdError) -> WatchNotice? {
            while !isOver {
                do {
                    if lines == nil { try await open() }
                    guard let response = try await read() else { continue }
                    if let notice = try await take(response) { return notice }
                } catch {
                    if error.cause == .cancelled { throw error }
                    close()
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
                json.member(
                    "create_request",
                    object: { json in
                        keys.write(to: &json)
                        json.member("start_revision", String(mark.revision + 1))
                        json.member("progress_notify", true)
                    })
            }
            let stream = try await client.openStream(
                "/v3/watch", json.bytes, to: endpoint, silenceNotice: silenceNotice)
            lines = stream.makeAsyncIterator()
            openedAt = .now
        }

        private mutating func close() {
            lines = nil
            isInDoubt = true
            if let openedAt { pause.ended(after: openedAt.duration(to: .now)) }
            openedAt = nil
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
                try json.finish()
            } catch {
                throw EtcdError(.badAnswer("\(error)"), endpoint: endpoint)
            }
            switch answer {
            case .error(let refusal): throw refusal.error(endpoint: endpoint)
            case .result(let response): return response
            }
        }

        private mutating func take(_ response: WatchResponse) async throws(EtcdError) -> WatchNotice? {
            let revision = response.header.revision
            if response.compactRevision > 0 { return end(.compacted) }
            if response.isCanceled {
                client.forgetToken()
                throw GatewayRefusal(cancelReason: response.cancelReason).error(endpoint: endpoint)
            }
            if response.isCreated { return try await created(response.header) }
            guard !response.events.isEmpty else {
                // A notification of progress: everything up to its revision was sent.
                mark.advance(to: revision)
                return nil
            }
            // The head of events does not promise that: while a watch catches up, more may come from below it.
            for event in response.events { mark.happened(event) }
            return .events(response.events, revision: mark.revision)
        }

        /// The stream stands. Its member can't be replaced from now on without ending it, so what holds now holds.
        private mutating func created(_ header: ResponseHeader) async throws(EtcdError) -> WatchNotice {
            if let limit = trustedUntil, limit < .now { isInDoubt = true }
            if isInDoubt || mark.isContradicted(by: header) {
                switch try await client.compare(mark, of: keys) {
                case .same: isInDoubt = false
                case .other: return end(.replaced(revision: header.revision))
                case .compacted: return end(.compacted)
                }
            }
            trustedUntil = nil
            return .opened(revision: header.revision)
        }

        private mutating func end(_ notice: WatchNotice) -> WatchNotice {
            isOver = true
            lines = nil
            return notice
        }
    }
}
