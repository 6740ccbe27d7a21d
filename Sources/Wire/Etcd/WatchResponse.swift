// SPDX-License-Identifier: Apache-2.0

import JSONText

/// One thing that happened to a key (`mvccpb.Event`).
package enum WatchEvent: Hashable, Sendable {
    case put(KeyValue)
    /// Deleted or expired; etcd does not say which.
    case delete(key: [UInt8], modRevision: Int64)

    var modRevision: Int64 {
        switch self {
        case .put(let keyValue): keyValue.modRevision
        case .delete(_, let revision): revision
        }
    }

    init(_ json: inout JSONReader) throws(JSONError) {
        var isDelete = false
        var keyValue = KeyValue()
        try json.object { name, json throws(JSONError) in
            switch name {
            case "type": isDelete = try json.string() == "DELETE"
            case "kv": keyValue = try KeyValue(&json)
            default: try json.skip()
            }
        }
        self = isDelete ? .delete(key: keyValue.key, modRevision: keyValue.modRevision) : .put(keyValue)
    }
}

/// One line of a watch (`etcdserverpb.WatchResponse`).
struct WatchResponse: Sendable {
    var header = ResponseHeader()
    var isCreated = false
    var isCanceled = false
    /// The oldest revision that can still be watched; 0 unless that is why the watch was canceled.
    var compactRevision: Int64 = 0
    var cancelReason = ""
    var events: [WatchEvent] = []

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = self
        try json.object { name, json throws(JSONError) in
            switch name {
            case "header": read.header = try ResponseHeader(&json)
            case "created": read.isCreated = try json.bool()
            case "canceled": read.isCanceled = try json.bool()
            case "compact_revision": read.compactRevision = try json.integer()
            case "cancel_reason": read.cancelReason = try json.string()
            case "events": try json.array { json throws(JSONError) in read.events.append(try WatchEvent(&json)) }
            default: try json.skip()
            }
        }
        self = read
    }
}
