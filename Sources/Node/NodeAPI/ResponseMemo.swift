// SPDX-License-Identifier: Apache-2.0

import Leases
import NIOCore
import NodeAgent
import Synchronization

/// The bytes of answers given a moment ago, by the bytes of the requests.
///
/// Who asks in the same bytes, while the leases and this node's own are the same and within a second, gets the same
/// bytes: headers, entity tag, compression and all. Nothing is parsed for that, so nothing can be parsed otherwise
/// than the first time. Whatever an answer depends on besides is not older than ``lifetime``.
///
/// Only answers with an entity tag to requests without credentials come in; see ``ConnectionGuard``.
final class ResponseMemo: Sendable {
    /// What an answer depends on, when its request came.
    struct Stamp: Hashable {
        let mark: LeaseJournal.Mark
        let own: SubnetKey?
    }

    struct Hit {
        let response: ByteBuffer
        let status: Int
        let route: HTTPRouteMetrics
    }

    private struct Entry {
        let hit: Hit
        let until: NIODeadline
    }

    private struct State {
        var stamp: Stamp?
        var entries: [ByteBuffer: Entry] = [:]
        var size = 0
    }

    static let lifetime = TimeAmount.seconds(1)
    /// The longest request that is looked for, in bytes.
    static let requestSize = 1024
    /// The largest answer that is kept, and all of them.
    static let responseSize = 4 << 20
    static let totalSize = 16 << 20

    private let status: NodeStatus
    private let state = Mutex(State())

    init(status: NodeStatus) { self.status = status }

    var stamp: Stamp { status.read { Stamp(mark: $0.journal.mark, own: $0.lease?.key) } }

    func hit(_ request: ByteBuffer, at now: NIODeadline) -> Hit? {
        guard request.readableBytes <= Self.requestSize else { return nil }
        let stamp = stamp
        return state.withLock { state in
            guard state.stamp == stamp, let entry = state.entries[request], now < entry.until else { return nil }
            return entry.hit
        }
    }

    /// - Parameter stamp: from before the request was looked at.
    func keep(_ hit: Hit, for request: ByteBuffer, stamp: Stamp, at now: NIODeadline) {
        guard stamp == self.stamp else { return }
        state.withLock { state in
            let size = request.readableBytes + hit.response.readableBytes
            if state.stamp != stamp || state.size + size > Self.totalSize { state = State(stamp: stamp) }
            let old = state.entries.updateValue(Entry(hit: hit, until: now + Self.lifetime), forKey: request)
            if let old { state.size -= request.readableBytes + old.hit.response.readableBytes }
            state.size += size
        }
    }

    /// Whether these bytes are one GET without a body, whole and alone: nothing of it can be in other bytes.
    static func isWhole(_ request: ByteBuffer) -> Bool {
        let bytes = request.readableBytesView
        guard bytes.count <= requestSize, bytes.starts(with: "GET ".utf8) else { return false }
        // Each line feed stands behind a carriage return, and the one empty line is the last: no reader sees another
        // end in it.
        var length = 0
        var lines = 0
        var last: UInt8 = 0
        for (place, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") {
                guard last == UInt8(ascii: "\r") else { return false }
                lines += 1
                if lines == 1, !bytes.prefix(place + 1).suffix(11).elementsEqual(" HTTP/1.1\r\n".utf8) { return false }
                if length == 1 { return place == bytes.count - 1 }
                length = 0
            } else {
                length += 1
            }
            last = byte
        }
        return false
    }
}
