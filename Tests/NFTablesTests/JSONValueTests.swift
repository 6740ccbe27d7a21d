// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import NFTables

@Suite struct JSONValueTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-1", "18446744073709551615", "1.5e3", "\"\"", "[]", "{}",
        #"{"a":[1,{"b":null}],"a":"twice"}"#, #""\"\\\u0001ä""#,
    ])
    func `what is read is written again`(text: String) throws {
        #expect(try JSONValue(parsing: text).description == text)
    }

    @Test func `spaces and escapes are read away`() throws {
        let text = " { \"a\" : [ 1 ,\n2 ] ,\t\"b\" : \"\\u0041\\/\\n\\ud83d\\ude00\" } "
        let value = try JSONValue(parsing: text)
        #expect(value == ["a": [.number(1), .number(2)], "b": "A/\n😀"])
        #expect(value["b"]?.string == "A/\n😀" && value["c"] == nil && value["a"]?.elements?.count == 2)
    }

    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a", "\"\\x\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "nul", "1 2", "+1", ".5", "nan", "0x1", "\"\u{1}\"", String(repeating: "[", count: 100_000),
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONParser.Failure.self) { try JSONValue(parsing: text) }
    }

    @Test func `an error says what and where`() {
        do {
            _ = try JSONValue(parsing: #"{"a":1,"b" 2}"#)
            Issue.record("a colon is missing")
        } catch {
            #expect("\(error)" == "a colon is missing at byte 11")
        }
    }
}
