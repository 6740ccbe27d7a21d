// SPDX-License-Identifier: Apache-2.0

import JSONText

/// Conditions, what to do where all hold, and what to do where one does not: at one revision, or not at all
/// (`etcdserverpb.TxnRequest`).
package struct Transaction: Hashable, Sendable {
    package struct Compare: Hashable, Sendable {
        package enum Target: Hashable, Sendable {
            /// The revision that made the key; 0: it does not exist.
            case createRevision(Int64)
            /// The revision that last wrote it.
            case modRevision(Int64)
            /// The grant that it hangs on; 0: none.
            case lease(Int64)
        }

        package let key: [UInt8]
        package let target: Target

        package init(_ key: String, _ target: Target) {
            self.key = Array(key.utf8)
            self.target = target
        }

        func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("key", base64: key)
                json.member("result", "EQUAL")
                switch target {
                case .createRevision(let revision):
                    json.member("target", "CREATE")
                    json.member("create_revision", String(revision))
                case .modRevision(let revision):
                    json.member("target", "MOD")
                    json.member("mod_revision", String(revision))
                case .lease(let grant):
                    json.member("target", "LEASE")
                    json.member("lease", String(grant))
                }
            }
        }
    }

    package enum Operation: Hashable, Sendable {
        case put(key: String, value: [UInt8], lease: Int64)
        case delete(KeyRange)
        case range(RangeRequest)

        func write(to json: inout JSONWriter) {
            json.object { json in
                switch self {
                case .put(let key, let value, let lease):
                    json.member("request_put", object: { writePut(key, value, lease, to: &$0) })
                case .delete(let keys):
                    json.member("request_delete_range", object: { keys.write(to: &$0) })
                case .range(let request):
                    json.name("request_range")
                    request.write(to: &json)
                }
            }
        }
    }

    package var compares: [Compare]
    package var success: [Operation]
    package var failure: [Operation]

    package init(when compares: [Compare], then success: [Operation], else failure: [Operation] = []) {
        self.compares = compares
        self.success = success
        self.failure = failure
    }

    var body: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("compare", array: { json in for compare in compares { compare.write(to: &json) } })
            json.member("success", array: { json in for operation in success { operation.write(to: &json) } })
            json.member("failure", array: { json in for operation in failure { operation.write(to: &json) } })
        }
        return json.bytes
    }
}

func writePut(_ key: String, _ value: [UInt8], _ lease: Int64, to json: inout JSONWriter) {
    json.member("key", base64: Array(key.utf8))
    json.member("value", base64: value)
    if lease != 0 { json.member("lease", String(lease)) }
}

/// What became of a ``Transaction``.
package struct TransactionResponse: Sendable {
    package var header = ResponseHeader()
    /// Whether the conditions held.
    package var succeeded = false
    /// The answers of the ranges among what was done, in order.
    package var ranges: [RangeResponse] = []

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = self
        try json.object { name, json throws(JSONError) in
            switch name {
            case "header": read.header = try ResponseHeader(&json)
            case "succeeded": read.succeeded = try json.bool()
            case "responses":
                try json.array { json throws(JSONError) in
                    try json.object { name, json throws(JSONError) in
                        if name == "response_range" {
                            read.ranges.append(try RangeResponse(&json))
                        } else {
                            try json.skip()
                        }
                    }
                }
            default: try json.skip()
            }
        }
        self = read
    }
}
