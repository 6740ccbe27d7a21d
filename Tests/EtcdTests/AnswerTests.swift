// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import JSONText
import Testing

@testable import Etcd

@Suite struct AnswerTests {
    private func read<Value>(
        _ text: String, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        var json = JSONReader(Array(text.utf8))
        let value = try body(&json)
        try json.finish()
        return value
    }

    @Test func `a range's answer is read`() throws {
        let answer = try read(Recorded.range) { json throws(JSONError) in try RangeResponse(&json) }
        #expect(answer.header.revision == 5 && answer.header.raftTerm == 2)
        #expect(answer.header.clusterID == 14_841_639_068_965_178_418)
        #expect(answer.hasMore && answer.count == 3 && answer.keyValues.count == 2)
        let last = try #require(answer.keyValues.last)
        #expect(last.key == Array("/b".utf8) && last.value == [0, 255])
        #expect(last.lease == 7_587_869_134_839_537_413 && last.createRevision == 4 && last.version == 1)
    }

    @Test func `what is zero is left out and read as zero`() throws {
        let range = try read(Recorded.emptyRange) { json throws(JSONError) in try RangeResponse(&json) }
        #expect(range.keyValues.isEmpty && range.count == 0 && !range.hasMore)
        let transaction = try read("{}") { json throws(JSONError) in try TransactionResponse(&json) }
        #expect(!transaction.succeeded && transaction.ranges.isEmpty && transaction.header.revision == 0)
        let grant = try read(#"{"ID":"7"}"#) { json throws(JSONError) in try GrantStatus(&json) }
        #expect(grant.id == 7 && grant.ttl == 0)
        let event = try read(#"{"kv":{"key":"YQ=="}}"#) { json throws(JSONError) in try WatchEvent(&json) }
        guard case .put(let keyValue) = event else {
            Issue.record("an event without a type is a put")
            return
        }
        #expect(keyValue.key == [0x61] && keyValue.value.isEmpty && keyValue.lease == 0)
    }

    @Test func `lines of a watch are read`() throws {
        func line(_ text: String) throws -> StreamLine<WatchResponse> {
            try read(text) { json throws(JSONError) in
                try StreamLine(&json) { json throws(JSONError) in try WatchResponse(&json) }
            }
        }
        guard case .result(let created) = try line(Recorded.watchCreated),
            case .result(let events) = try line(Recorded.watchEvents),
            case .result(let compacted) = try line(Recorded.watchCompacted),
            case .error(let refusal) = try line(Recorded.streamError)
        else {
            Issue.record("one of them is another kind of line")
            return
        }
        #expect(created.isCreated && created.header.revision == 9 && created.events.isEmpty)
        #expect(events.events.map(\.modRevision) == [10, 11])
        #expect(events.events.last == .delete(key: Array("/a".utf8), modRevision: 11))
        #expect(compacted.isCanceled && compacted.compactRevision == 15)
        let error = refusal.error(endpoint: "h:1")
        #expect(error.code == .unavailable && error.isMembersTrouble)
        #expect(throws: JSONError.self) { try line("{}") }
        #expect(throws: JSONError.self) { try line(#"{"result":7}"#) }
    }

    @Test func `a transaction's answer holds its ranges`() throws {
        let answer = try read(Recorded.transaction) { json throws(JSONError) in try TransactionResponse(&json) }
        #expect(answer.succeeded && answer.ranges.count == 1)
        #expect(answer.ranges.first?.keyValues.first?.value == Array("mine".utf8))
    }

    @Test func `a status is read`() throws {
        let text =
            #"{"header":{},"version":"3.4.23","dbSize":"20480","leader":"10276657743932975437","errors":["NOSPACE"]}"#
        let status = try read(text) { json throws(JSONError) in try MaintenanceStatus(&json) }
        #expect(status.version == "3.4.23" && status.databaseSize == 20480 && status.errors == ["NOSPACE"])
        #expect(status.leader == 10_276_657_743_932_975_437)
    }

    @Test func `requests are written as the gateway wants them`() {
        func text(_ write: (inout JSONWriter) -> Void) -> String {
            var json = JSONWriter()
            write(&json)
            return String(decoding: json.bytes, as: UTF8.self)
        }
        var request = RangeRequest(KeyRange(prefix: "/a/"))
        #expect(text(request.write) == #"{"key":"L2Ev","range_end":"L2Ew"}"#)
        request.limit = 5
        request.revision = 7
        request.minModRevision = 3
        request.countOnly = true
        let options = #","limit":5,"revision":"7","min_mod_revision":"3","count_only":true}"#
        #expect(text(request.write) == #"{"key":"L2Ev","range_end":"L2Ew""# + options)
        let transaction = Transaction(
            when: [.init("k", .createRevision(0)), .init("k", .modRevision(4))],
            then: [.put(key: "k", value: [1], lease: 9), .delete(KeyRange(key: "k"))],
            else: [.range(RangeRequest(KeyRange(key: "k")))])
        #expect(
            String(decoding: transaction.body, as: UTF8.self) == """
                {"compare":[{"key":"aw==","result":"EQUAL","target":"CREATE","create_revision":"0"},\
                {"key":"aw==","result":"EQUAL","target":"MOD","mod_revision":"4"}],\
                "success":[{"request_put":{"key":"aw==","value":"AQ==","lease":"9"}},\
                {"request_delete_range":{"key":"aw=="}}],"failure":[{"request_range":{"key":"aw=="}}]}
                """)
    }

    @Test(
        arguments: [
            ("/a/", Array("/a0".utf8)), ("", [0]), ("a\u{7F}", [0x61, 0x80]),
        ] as [(String, [UInt8])])
    func `a prefix ends where the next one begins`(prefix: String, end: [UInt8]) {
        #expect(KeyRange(prefix: prefix).end == end)
    }
}

@Suite struct RefusalTests {
    private func error(_ text: String, status: Int) -> EtcdError {
        GatewayRefusal.error(Array(text.utf8), status: status, endpoint: "h:1")
    }

    @Test func `a refusal is told by its code, whatever the status`() {
        for status in [400, 404, 412] {
            let error = error(Recorded.refusal, status: status)
            #expect(error.code == .notFound)
            #expect(!error.isMembersTrouble && !error.mayHaveApplied && !error.needsOperator)
            #expect(error.description == "etcd at h:1 refuses: etcdserver: requested lease not found (NOT_FOUND)")
        }
    }

    @Test(arguments: [
        (1, true, false, true), (2, false, false, true), (3, false, true, false), (4, true, false, true),
        (5, false, false, false), (7, false, true, false), (8, false, true, false), (9, false, false, false),
        (10, false, false, true), (11, false, false, false), (13, true, false, true), (14, true, false, true),
        (15, false, true, false), (16, false, true, false), (99, false, false, false),
    ])
    func `each code is classed`(code: Int, membersTrouble: Bool, operatorsCase: Bool, isOpen: Bool) {
        let error = error(#"{"error":"x","message":"x","code":\#(code)}"#, status: 500)
        #expect(error.code?.value == code)
        #expect(error.isMembersTrouble == membersTrouble, "another member")
        #expect(error.needsOperator == operatorsCase, "an operator")
        #expect(error.mayHaveApplied == isOpen, "may have applied")
    }

    @Test func `a quorum that took too long is the member's trouble`() {
        #expect(error(#"{"message":"context deadline exceeded","code":2}"#, status: 500).isMembersTrouble)
    }

    @Test func `what is not etcd's own answer leaves open what became of a write`() {
        let proxy = error("<html>\nBad Gateway", status: 502)
        #expect(proxy.cause == .badAnswer("HTTP 502 <html>"))
        #expect(proxy.isMembersTrouble && proxy.mayHaveApplied)
        let missing = error("404 page not found\n", status: 404)
        #expect(missing.cause == .badAnswer("HTTP 404 404 page not found"))
        // Of etcd 3.4 and 3.5, where authentication is on.
        let named = error(
            "CommonName of client sending a request against gateway will be ignored and not used as expected\n",
            status: 400)
        #expect(named.needsOperator && named.description.contains("--etcd-certfile without a CN"))
        #expect(!missing.mayHaveApplied)
        #expect(missing.description.contains("does not answer like etcd's v3 gateway"))
    }

    @Test(arguments: [
        ("etcdserver: permission denied", GRPCCode.permissionDenied),
        ("etcdserver: invalid auth token", .unauthenticated),
        ("", .aborted), ("etcdserver: mvcc: something", .aborted),
    ])
    func `why a watch was canceled is understood`(reason: String, code: GRPCCode) {
        #expect(GatewayRefusal(cancelReason: reason).error(endpoint: "h:1").code == code)
    }

    @Test func `errors of the connection keep what they mean`() {
        let cut = EtcdError(CurlError.closed(endpoint: "h:1", reason: "reset"), endpoint: "h:1")
        #expect(cut.mayHaveApplied && cut.isMembersTrouble && !cut.needsOperator)
        let refused = EtcdError(CurlError.couldNotConnect(endpoint: "h:1", reason: "refused"), endpoint: "h:1")
        #expect(!refused.mayHaveApplied && refused.isMembersTrouble)
        let untrusted = EtcdError(CurlError.tls(endpoint: "h:1", reason: "unknown CA"), endpoint: "h:1")
        #expect(untrusted.needsOperator)
        for error in [CurlError.cancelled, .shutDown] {
            #expect(EtcdError(error, endpoint: "h:1").cause == .cancelled)
        }
    }
}
