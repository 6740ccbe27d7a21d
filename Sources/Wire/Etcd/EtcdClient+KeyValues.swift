// SPDX-License-Identifier: Apache-2.0

import JSONText

extension EtcdClient {
    package func range(_ request: RangeRequest) async throws(EtcdError) -> RangeResponse {
        var json = JSONWriter()
        request.write(to: &json)
        return try await call("/v3/kv/range", json.bytes) { json throws(JSONError) in
            try RangeResponse(&json, expecting: Int(clamping: min(request.limit, 1 << 16)))
        }
    }

    /// Writes a key, whatever it was; the new revision. A lease's key is never written so.
    @discardableResult
    package func put(_ key: String, _ value: [UInt8], lease: Int64 = 0) async throws(EtcdError) -> Int64 {
        var json = JSONWriter()
        json.object { writePut(key, value, lease, to: &$0) }
        return try await call("/v3/kv/put", json.bytes) { json throws(JSONError) in
            try Self.header(&json).revision
        }
    }

    /// Deletes keys, whatever they were; how many there were.
    @discardableResult
    package func delete(_ keys: KeyRange) async throws(EtcdError) -> Int64 {
        var json = JSONWriter()
        json.object { keys.write(to: &$0) }
        return try await call("/v3/kv/deleterange", json.bytes) { json throws(JSONError) in
            var deleted: Int64 = 0
            try json.object { name, json throws(JSONError) in
                if name == "deleted" { deleted = try json.integer() } else { try json.skip() }
            }
            return deleted
        }
    }

    /// Not sent to another member once it may have taken effect: see ``EtcdError/mayHaveApplied``.
    package func transact(_ transaction: Transaction) async throws(EtcdError) -> TransactionResponse {
        let isRead = (transaction.success + transaction.failure).allSatisfy {
            if case .range = $0 { true } else { false }
        }
        return try await call("/v3/kv/txn", transaction.body, isRepeatable: isRead) { json throws(JSONError) in
            try TransactionResponse(&json)
        }
    }

    static func header(_ json: inout JSONReader) throws(JSONError) -> ResponseHeader {
        var header = ResponseHeader()
        try json.object { name, json throws(JSONError) in
            if name == "header" { header = try ResponseHeader(&json) } else { try json.skip() }
        }
        return header
    }
}
