// SPDX-License-Identifier: Apache-2.0

import JSONText

/// A key of etcd as it is at some revision (`mvccpb.KeyValue`).
package struct KeyValue: Hashable, Sendable {
    package var key: [UInt8] = []
    package var value: [UInt8] = []
    /// The revision that made the key.
    package var createRevision: Int64 = 0
    /// The revision that last wrote it.
    package var modRevision: Int64 = 0
    /// How often it was written since it was made.
    package var version: Int64 = 0
    /// The grant it hangs on; 0: none.
    package var lease: Int64 = 0

    package init() {}

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = KeyValue()
        try json.object { name, json throws(JSONError) in
            switch name {
            case "key": read.key = try json.base64()
            case "value": read.value = try json.base64()
            case "create_revision": read.createRevision = try json.integer()
            case "mod_revision": read.modRevision = try json.integer()
            case "version": read.version = try json.integer()
            case "lease": read.lease = try json.integer()
            default: try json.skip()
            }
        }
        self = read
    }
}

/// A set of keys that lie next to each other.
package struct KeyRange: Hashable, Sendable {
    package let start: [UInt8]
    /// Behind the last one; empty for one key.
    package let end: [UInt8]

    package init(start: [UInt8], end: [UInt8]) {
        self.start = start
        self.end = end
    }

    package init(key: String) { self.init(start: Array(key.utf8), end: []) }

    /// Every key that starts so.
    package init(prefix: String) {
        var end = Array(prefix.utf8)
        while let last = end.popLast() {
            if last < 255 {
                end.append(last + 1)
                break
            }
        }
        self.init(start: Array(prefix.utf8), end: end.isEmpty ? [0] : end)
    }

    func write(to json: inout JSONWriter) {
        json.member("key", base64: start)
        if !end.isEmpty { json.member("range_end", base64: end) }
    }
}
