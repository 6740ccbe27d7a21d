// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Etcd
@testable import JSONText

@Suite struct JSONReaderTests {
    /// Reads a whole text as one value of any kind.
    private func accepts(_ bytes: [UInt8]) -> Bool {
        var json = JSONReader(bytes)
        do throws(JSONError) {
            try json.skip()
            try json.finish()
            return true
        } catch {
            return false
        }
    }

    private func string(_ text: String) throws -> String {
        var json = JSONReader(Array(text.utf8))
        let value = try json.string()
        try json.finish()
        return value
    }

    private func integer(_ text: String) throws -> Int64 {
        var json = JSONReader(Array(text.utf8))
        let value = try json.integer()
        try json.finish()
        return value
    }

    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "10", "-1.5", "0.1e1", "1E+2", "1e-9", #""""#,
        #""a\"\\\/\b\f\n\r\té""#,
        #"{"a":{"b":[1,"2",null,true,{}]}}"#, " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", #"{"a":1,"a":2}"#, #"{"":0}"#,
        "\"\u{7F}\u{2028}\u{1F600}\"",
    ])
    func `JSON is accepted`(text: String) { #expect(accepts(Array(text.utf8)), "\(text)") }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}", "{1:1}", "{\"a\":1 \"b\":2}", "'a'", "\"a", "\"a\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"",
        "\"\\u+123\"",
        "\"\n\"", "\"\\\n\"", "\"\u{1F}\"", "01", "-01", "00", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1 2",
        "--1",
        "NaN", "Infinity", "tru", "trueish", "nul", "nullx", "True", "{}x", "[]]", "/**/1", "\u{FEFF}1",
    ])
    func `what is not JSON is refused`(text: String) { #expect(!accepts(Array(text.utf8)), "\(text)") }

    @Test func `nesting is limited, so that no text can exhaust the stack`() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(accepts(nested(64)))
        #expect(!accepts(nested(65)))
        #expect(!accepts(Array(String(repeating: "[", count: 1_000_000).utf8)))
        #expect(!accepts(Array(String(repeating: #"{"a":"#, count: 1_000_000).utf8)))
    }

    @Test(arguments: [
        (#""""#, ""), (#""plain""#, "plain"), (#""\u0041\u00e9""#, "Aé"), (#""\ud83d\ude00!""#, "\u{1F600}!"),
        (#""\uD83D\uDE00""#, "\u{1F600}"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}\u{1F600}"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\u0000""#, "\0"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
    ])
    func `escapes are resolved`(text: String, value: String) throws { #expect(try string(text) == value) }

    @Test func `what is not UTF-8 in a string is replaced`() throws {
        var json = JSONReader([0x22, 0x61, 0xFF, 0x22])
        #expect(try json.string() == "a\u{FFFD}")
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("17", 17), (#""17""#, 17), (#""-17""#, -17), ("9223372036854775807", .max),
            (#""-9223372036854775808""#, .min),
        ] as [(String, Int64)])
    func `whole numbers are read, quoted or not`(text: String, value: Int64) throws {
        #expect(try integer(text) == value)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "1.0", "1e3", #"" 1""#, #""1 ""#,
        #""""#,
        #""1"#, #""+1""#, "+1", "007", #""0x1""#, "true", "null", #""abc""#,
    ])
    func `what is no whole number of 64 bits is refused`(text: String) {
        #expect(throws: JSONError.self) { try integer(text) }
    }

    @Test func `identifiers use all 64 bits`() throws {
        var json = JSONReader(Array(#""18446744073709551615""#.utf8))
        #expect(try json.unsigned() == .max)
        for text in ["18446744073709551616", "-1", "-0"] {
            var json = JSONReader(Array(text.utf8))
            #expect(throws: JSONError.self, "\(text)") { try json.unsigned() }
        }
    }

    @Test func `members that are null are left out, elements that are null are not`() throws {
        var json = JSONReader(Array(#"{"a":null,"b":1,"c":[null,2]}"#.utf8))
        var names: [String] = []
        var kinds: [JSONReader.Kind?] = []
        try json.object { name, json throws(JSONError) in
            names.append(name)
            guard name == "c" else { return try json.skip() }
            try json.array { json throws(JSONError) in
                kinds.append(json.peek())
                try json.skip()
            }
        }
        #expect(names == ["b", "c"])
        #expect(kinds == [.null, .number])
    }

    @Test func `an error says what and where`() {
        var json = JSONReader(Array(#"{"a": tru}"#.utf8))
        let error = #expect(throws: JSONError.self) {
            try json.object { _, json throws(JSONError) in _ = try json.bool() }
        }
        #expect(error?.description == "true or false is missing at byte 6")
    }

    /// Neither random bytes nor mutations of a real answer may do more than throw.
    @Test func `no input crashes a reader`() {
        var random = SplitMix(seed: 7)
        let seeds = [Recorded.range, Recorded.watchEvents, Recorded.keepAlive, Recorded.transaction].map {
            Array($0.utf8)
        }
        let telling = Array("{}[]\",:\\u0123456789eE+-.ntf \u{0}".utf8)
        for round in 0..<20_000 {
            var bytes: [UInt8]
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    Bool.random(using: &random)
                        ? telling.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
                }
            } else {
                bytes = seeds.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0...3, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(telling.randomElement(using: &random) ?? 0, at: place)
                    default: bytes.removeLast(bytes.count - place)
                    }
                }
            }
            var readers = (0..<6).map { _ in JSONReader(bytes) }
            _ = try? RangeResponse(&readers[0])
            _ = try? StreamLine(&readers[1]) { json throws(JSONError) in try WatchResponse(&json) }
            _ = try? StreamLine(&readers[2]) { json throws(JSONError) in try GrantStatus(&json) }
            _ = try? TransactionResponse(&readers[3])
            _ = try? GatewayRefusal(&readers[4])
            _ = try? readers[5].base64()
            _ = accepts(bytes)
        }
    }
}

/// A generator that gives the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
