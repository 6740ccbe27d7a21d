// SPDX-License-Identifier: Apache-2.0

import JSONText

@testable import Etcd
@testable import Netlink

extension FuzzedParser {
    /// What the kernel and etcd's gateway send.
    static let wire: [FuzzedParser] = [
        FuzzedParser("netlink") { bytes in
            try BrokenPromise.unless(
                readNetlink(bytes) <= bytes.count / 16 + 1, "more messages than fit")
        },
        FuzzedParser("json", words: jsonWords) { bytes in
            var reader = JSONReader(bytes)
            var isWhole = false
            do throws(JSONError) {
                try reader.skip()
                try reader.finish()
                isWhole = true
            } catch {}
            let value = try? JSONValue(parsing: bytes)
            if value != nil { try BrokenPromise.unless(isWhole, "a value of what skip refuses") }
        },
        FuzzedParser("etcd-line", words: jsonWords + etcdWords) { bytes in
            func read<Answer>(_ read: (inout JSONReader) throws(JSONError) -> Answer) {
                var json = JSONReader(bytes)
                _ = try? read(&json)
            }
            read { json throws(JSONError) in
                try StreamLine<WatchResponse>(&json) { json throws(JSONError) in try WatchResponse(&json) }
            }
            read { json throws(JSONError) in
                try StreamLine<GrantStatus>(&json) { json throws(JSONError) in try GrantStatus(&json) }
            }
            read { json throws(JSONError) in try TransactionResponse(&json) }
            read { json throws(JSONError) in try RangeResponse(&json) }
            _ = GatewayRefusal.error(bytes, status: 400, endpoint: "x")
        },
    ]

    private static let etcdWords = [
        "result", "error", "events", "kv", "key", "value", "mod_revision", "compact_revision", "canceled", "header",
        "revision", "responses", "response_range", "TTL", "\"-1\"", "\"9223372036854775808\"", "AA==", "=",
    ]

    /// Reads the bytes as everything that they might be.
    private static func readNetlink(_ bytes: [UInt8]) -> Int {
        var reader = MessageReader(bytes.span.bytes)
        var found = 0
        while let message = reader.next() {
            found += 1
            _ = Answer(message)
            _ = Answer.endOfDump(message)
            _ = LinkMessage(message)
            _ = AddressMessage(message)
            _ = RouteMessage(message)
            _ = RouteQuery(message)
            _ = NextHopMessage(message)
            _ = NeighborMessage(message)
            var attributes = AttributeReader(message.payload)
            while let attribute = attributes.next() {
                _ = attribute.text
                _ = (attribute.mac, attribute.address, attribute.bigEndian16)
                var nested = attribute.nested
                while nested.next() != nil {}
            }
        }
        return found
    }
}
