// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Leases
import NodeAgent

/// Text of an event stream (WHATWG HTML, section 9.2), in the making.
///
/// An event's `id` is the revision after it; where several events are of one revision only the last has it, so that
/// who was cut off between them comes back to before the first.
struct ServerSentEvents {
    private var text: JSONText

    init(capacity: Int = 1024) { text = JSONText(capacity: capacity) }

    var buffer: ByteBuffer { ByteBuffer(bytes: text.bytes) }
    var isEmpty: Bool { text.bytes.isEmpty }

    /// What a client skips; keeps the connection in use.
    mutating func comment(_ words: String) { text.raw(": \(words)\n\n") }

    /// How long a client waits before it connects again, in milliseconds.
    mutating func retry(_ milliseconds: Int) { text.raw("retry: \(milliseconds)\n\n") }

    /// Every lease: what was known before is no longer true.
    mutating func snapshot(_ index: LeaseIndex, filter: LeaseFilter, own: SubnetKey?) {
        text.raw("event: snapshot\nid: \(index.revision)\ndata: {\"revision\":\"\(index.revision)\",\"items\":[")
        var isFirst = true
        for lease in index.leases where filter.admits(lease) {
            if !isFirst { text.raw(",") }
            isFirst = false
            text.lease(lease, isLocal: lease.key == own)
        }
        text.raw("]}\n\n")
    }

    /// What changed, as one sees it who knows only what the filter admits: a lease that comes into sight is added.
    mutating func entry(_ entry: LeaseJournal.Entry, filter: LeaseFilter, own: SubnetKey?) {
        let changes = filter.isEmpty ? entry.changes : entry.changes.compactMap { $0.seen(through: filter) }
        for (place, change) in changes.enumerated() {
            switch change {
            case .added(let lease): event("added", lease, own: own)
            case .updated(let lease, _): event("updated", lease, own: own)
            case .removed(let lease): event("removed", lease, own: own)
            }
            if place == changes.count - 1 { text.raw("id: \(entry.revision)\n") }
            text.raw("\n")
        }
    }

    /// The same lease in another light: it has become this node's own, or no longer is.
    mutating func relight(_ lease: Lease, own: SubnetKey?) {
        event("updated", lease, own: own)
        text.raw("\n")
    }

    private mutating func event(_ name: String, _ lease: Lease, own: SubnetKey?) {
        text.raw("event: \(name)\ndata: ")
        text.lease(lease, isLocal: lease.key == own)
        text.raw("\n")
    }
}

extension LeaseChange {
    fileprivate func seen(through filter: LeaseFilter) -> LeaseChange? {
        switch self {
        case .added(let lease), .removed(let lease): return filter.admits(lease) ? self : nil
        case .updated(let lease, let previous):
            switch (filter.admits(previous), filter.admits(lease)) {
            case (true, true): return self
            case (false, true): return .added(lease)
            case (true, false): return .removed(previous)
            case (false, false): return nil
            }
        }
    }
}
