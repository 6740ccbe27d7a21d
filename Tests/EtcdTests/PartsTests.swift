// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Etcd
@testable import JSONText

@Suite struct Base64Tests {
    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the RFC's examples come out`(plain: String, coded: String) {
        var text: [UInt8] = []
        Base64.append(Array(plain.utf8), to: &text)
        #expect(String(decoding: text, as: UTF8.self) == coded)
        #expect(Base64.decode(text[...]) == Array(plain.utf8))
    }

    @Test func `every byte at every place survives`() {
        for length in 0...6 {
            for byte in UInt8.min ... .max {
                let data = [UInt8](repeating: byte, count: length)
                var text: [UInt8] = Array("xx".utf8)
                Base64.append(data, to: &text)
                #expect(Base64.decode(text.dropFirst(2)) == data)
            }
        }
    }

    @Test(arguments: [
        "Z", "Z===", "====", "=", "Zm9v=", "Zm9vYg===", "Zm9v Yg==", "Zm-v", "Zm_v", "Zg==Zg==", "Zm9vY", "é",
    ])
    func `what is not base64 is refused`(text: String) { #expect(Base64.decode(Array(text.utf8)[...]) == nil) }

    @Test func `padding may be missing`() { #expect(Base64.decode(Array("Zm8".utf8)[...]) == Array("fo".utf8)) }
}

@Suite struct JSONWriterTests {
    @Test func `everything that needs an escape has one`() throws {
        let hard = "\"\\/\0\u{1F}\n\u{7F}é\u{1F600}\u{2028}"
        var json = JSONWriter()
        json.array { json in
            json.string(hard)
            json.integer(Int64.min)
            json.bool(true)
            json.null()
            json.object { json in
                json.member("a", 1)
                json.member("b", array: { _ in })
                json.member("c", object: { _ in })
            }
            json.base64([1, 2])
        }
        let text = String(decoding: json.bytes, as: UTF8.self)
        #expect(text.hasSuffix(#",-9223372036854775808,true,null,{"a":1,"b":[],"c":{}},"AQI="]"#))
        var reader = JSONReader(json.bytes)
        var first: String?
        try reader.array { reader throws(JSONError) in
            if first == nil { first = try reader.string() } else { try reader.skip() }
        }
        try reader.finish()
        #expect(first == hard)
    }
}

@Suite struct EtcdConfigurationTests {
    @Test(arguments: [
        ("http://10.0.0.1:2379", "http://10.0.0.1:2379"), ("10.0.0.1:2379", "http://10.0.0.1:2379"),
        ("https://etcd.example/", "https://etcd.example"), ("HTTPS://h:1", "https://h:1"),
        ("http://[fd00::1]:2379", "http://[fd00::1]:2379"), ("[::1]", "http://[::1]"), ("h:65535", "http://h:65535"),
    ])
    func `an endpoint is a base URL`(text: String, url: String) throws {
        #expect(try EtcdConfiguration(endpoints: [text]).endpoints == [url])
    }

    @Test(arguments: [
        "", "http://", "unix:///run/etcd", "ftp://h", "http://h/v3", "http://h?x", "http://u@h:1", "h:0", "h:65536",
        "h:+1",
        "h:", "h:abc", ":2379", "::1:2379", "fd00::1", "[::1", "[::1]2379", "[h]:1", "http://h h", "http://h\n",
        "http:///h",
    ])
    func `what is none is refused and named`(text: String) {
        let error = #expect(throws: EtcdConfigurationError.self) { try EtcdConfiguration(endpoints: ["h:1", text]) }
        #expect(error?.description.hasPrefix("etcd endpoint '\(text)' ") == true)
    }

    @Test func `no endpoint at all is refused`() {
        #expect(throws: EtcdConfigurationError.self) { try EtcdConfiguration(endpoints: []) }
    }

    @Test func `one member is given the time to tell of its lost quorum, several are not`() throws {
        #expect(try EtcdConfiguration(endpoints: ["a"]).requestTimeout > .seconds(7))
        let several = try EtcdConfiguration(endpoints: ["a", "b"])
        #expect(several.requestTimeout <= .seconds(3.5))
        #expect(several.connectTimeout < several.requestTimeout)
    }
}

@Suite struct EndpointRotationTests {
    @Test func `whoever finds a member wanting moves on once`() {
        let members = EndpointRotation(["a", "b", "c"], first: 4)
        #expect(members.current == "b")
        members.moveOn(from: "b")
        members.moveOn(from: "b")
        #expect(members.current == "c")
        members.moveOn(from: "c")
        #expect(members.current == "a")
    }

    @Test func `any number names a member`() {
        for first in [Int.min, -1, 0, .max] {
            #expect(["a", "b", "c"].contains(EndpointRotation(["a", "b", "c"], first: first).current))
        }
    }
}

@Suite struct RetryPauseTests {
    @Test func `pauses grow to 5 s, shrink for a stream that lived, and not for one that broke at once`() async throws {
        var pause = RetryPause()
        #expect(pause.longest == .zero)
        // A cancelled task does not wait, but counts.
        func fail() async {
            let task = Task { [pause] in
                var pause = pause
                withUnsafeCurrentTask { $0?.cancel() }
                try? await pause.wait(endpoint: "h")
                return pause
            }
            pause = await task.value
        }
        var seen: [Duration] = []
        for _ in 0..<10 {
            await fail()
            pause.ended(after: .seconds(1))
            seen.append(pause.longest)
        }
        #expect(seen == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000].map { .milliseconds($0) })
        pause.ended(after: .seconds(60))
        #expect(pause.longest == .milliseconds(100), "many clients lose one server at once")
    }
}

@Suite struct HistoryMarkTests {
    private func header(_ revision: Int64, cluster: UInt64 = 1, term: UInt64 = 3) -> ResponseHeader {
        var header = ResponseHeader()
        (header.revision, header.clusterID, header.raftTerm) = (revision, cluster, term)
        return header
    }

    private func keyValue(_ key: String, _ revision: Int64) -> KeyValue {
        var keyValue = KeyValue()
        (keyValue.key, keyValue.modRevision) = (Array(key.utf8), revision)
        return keyValue
    }

    private func answer(_ header: ResponseHeader, _ written: [KeyValue], _ deleted: [KeyValue]) throws
        -> TransactionResponse
    {
        var json = JSONReader(Array("{}".utf8))
        var answer = try TransactionResponse(&json)
        var range = JSONReader(Array("{}".utf8))
        let empty = try RangeResponse(&range)
        answer.header = header
        answer.ranges = [written, deleted].map { keyValues in
            var range = empty
            range.keyValues = keyValues
            return range
        }
        return answer
    }

    @Test func `a header of an older revision, another cluster or an earlier term contradicts it`() {
        let mark = HistoryMark(header(10))
        #expect(!mark.isContradicted(by: header(10)))
        #expect(!mark.isContradicted(by: header(11, term: 4)))
        #expect(mark.isContradicted(by: header(9)))
        #expect(mark.isContradicted(by: header(11, cluster: 2)))
        #expect(mark.isContradicted(by: header(11, term: 2)))
    }

    @Test func `the last write and the last delete are asked about, as of the mark`() throws {
        var mark = HistoryMark(header(10))
        mark.listed(keyValue("b", 8))
        mark.listed(keyValue("a", 5))
        #expect(mark.isConfirmed(by: try answer(header(10), [keyValue("b", 8)], [keyValue("b", 8)])))
        #expect(!mark.isConfirmed(by: try answer(header(10), [keyValue("b", 9)], [])))
        #expect(!mark.isConfirmed(by: try answer(header(10), [], [])))
        mark.happened(.put(keyValue("c", 12)))
        mark.happened(.delete(key: Array("d".utf8), modRevision: 13))
        mark.advance(to: 20)
        mark.advance(to: 19)
        #expect(mark.revision == 20)
        let ranges = mark.question(about: KeyRange(prefix: "/")).success.map { operation -> String in
            guard case .range(let request) = operation else { return "" }
            return "\(String(decoding: request.keys.start, as: UTF8.self)) at \(request.revision)"
        }
        #expect(ranges == ["c at 20", "d at 20"])
        #expect(mark.isConfirmed(by: try answer(header(25), [keyValue("c", 12)], [])))
        #expect(!mark.isConfirmed(by: try answer(header(25), [keyValue("c", 12)], [keyValue("d", 4)])))
        #expect(!mark.isConfirmed(by: try answer(header(25, term: 2), [keyValue("c", 12)], [])))
    }

    @Test func `what was deleted was not written, and the other way round`() throws {
        var mark = HistoryMark(header(10))
        mark.happened(.put(keyValue("c", 12)))
        mark.happened(.delete(key: Array("c".utf8), modRevision: 13))
        #expect(mark.isConfirmed(by: try answer(header(13), [], [])))
        #expect(!mark.isConfirmed(by: try answer(header(13), [], [keyValue("c", 12)])))
        mark.happened(.put(keyValue("c", 14)))
        #expect(mark.isConfirmed(by: try answer(header(14), [keyValue("c", 14)], [keyValue("c", 14)])))
    }
}
