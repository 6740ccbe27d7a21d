// SPDX-License-Identifier: Apache-2.0

import JSONText

/// A question for keys (`etcdserverpb.RangeRequest`), answered in the order of the keys.
///
/// With a limit, etcd counts all keys, but answers those that come first in that order or, with
/// ``oldestWritesFirst``, those that were last written longest ago.
package struct RangeRequest: Hashable, Sendable {
    package var keys: KeyRange
    /// The state at this revision; 0: the newest.
    package var revision: Int64 = 0
    /// At most so many keys; 0: all.
    package var limit: Int64 = 0
    /// Only keys written at this revision or later.
    package var minModRevision: Int64 = 0
    package var countOnly = false
    package var oldestWritesFirst = false

    package init(_ keys: KeyRange) { self.keys = keys }

    func write(to json: inout JSONWriter) {
        json.object { json in
            keys.write(to: &json)
            if limit != 0 { json.member("limit", limit) }
            if revision != 0 { json.member("revision", String(revision)) }
            if minModRevision != 0 { json.member("min_mod_revision", String(minModRevision)) }
            if countOnly { json.member("count_only", true) }
            if oldestWritesFirst {
                json.member("sort_order", "ASCEND")
                json.member("sort_target", "MOD")
            }
        }
    }
}

/// The keys of a ``RangeRequest``.
package struct RangeResponse: Sendable {
    package var header = ResponseHeader()
    package var keyValues: [KeyValue] = []
    /// Whether the limit cut the answer.
    package var hasMore = false
    /// How many keys there are, the limit aside.
    package var count: Int64 = 0

    init(_ json: inout JSONReader, expecting capacity: Int = 0) throws(JSONError) {
        keyValues.reserveCapacity(capacity)
        var read = self
        try json.object { name, json throws(JSONError) in
            switch name {
            case "header": read.header = try ResponseHeader(&json)
            case "kvs": try json.array { json throws(JSONError) in read.keyValues.append(try KeyValue(&json)) }
            case "more": read.hasMore = try json.bool()
            case "count": read.count = try json.integer()
            default: try json.skip()
            }
        }
        self = read
    }
}
