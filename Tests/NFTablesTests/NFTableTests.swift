// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import NFTables

@Suite struct NFTableTests {
    private static let id = NFTable.ID(.inet, "x")

    private static let table = NFTable(
        id,
        chains: [
            NFChain(
                "post", base: .init(type: "nat", hook: "postrouting", priority: 100),
                rules: [
                    NFRule(.mark(mask: 0x4000, .is, 0x4000), .return, comment: "say \"why\""),
                    NFRule(
                        .source(.is, NFPrefix(.ip, "10.244.0.0", 16)),
                        .destination(.isNot, NFPrefix(.ip, "10.0.0.1", 32)),
                        .masquerade(flags: ["fully-random"])),
                ])
        ])

    /// As `nft -j list table inet x` of libnftables 1.0.6 printed the table above, after `nft -f` had read its text.
    private static let listing =
        #"{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, "#
        + #"{"table": {"family": "inet", "name": "x", "handle": 1}}, "#
        + #"{"chain": {"family": "inet", "table": "x", "name": "post", "handle": 1, "type": "nat", "hook": "postrouting", "#
        + #""prio": 100, "policy": "accept"}}, "#
        + #"{"rule": {"family": "inet", "table": "x", "chain": "post", "handle": 2, "comment": "say \"why\"", "expr": "#
        + #"[{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 16384]}, "right": 16384}}, {"return": null}]}}, "#
        + #"{"rule": {"family": "inet", "table": "x", "chain": "post", "handle": 3, "expr": ["#
        + #"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "#
        + #""right": {"prefix": {"addr": "10.244.0.0", "len": 16}}}}, "#
        + #"{"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "10.0.0.1"}}, "#
        + #"{"masquerade": {"flags": "fully-random"}}]}}]}"#

    @Test func `a table is put in place of another in one transaction`() {
        let expected =
            #"{"nftables":[{"metainfo":{"json_schema_version":1}},"#
            + #"{"add":{"table":{"family":"inet","name":"x"}}},{"delete":{"table":{"family":"inet","name":"x"}}},"#
            + #"{"add":{"table":{"family":"inet","name":"x"}}},"#
            + #"{"add":{"chain":{"family":"inet","table":"x","name":"post","type":"nat","hook":"postrouting","#
            + #""prio":100,"policy":"accept"}}},"#
            + #"{"add":{"rule":{"family":"inet","table":"x","chain":"post","comment":"say \"why\"","expr":["#
            + #"{"match":{"op":"==","left":{"&":[{"meta":{"key":"mark"}},16384]},"right":16384}},{"return":null}]}}},"#
            + #"{"add":{"rule":{"family":"inet","table":"x","chain":"post","expr":["#
            + #"{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"#
            + #""right":{"prefix":{"addr":"10.244.0.0","len":16}}}},"#
            + #"{"match":{"op":"!=","left":{"payload":{"protocol":"ip","field":"daddr"}},"right":"10.0.0.1"}},"#
            + #"{"masquerade":{"flags":["fully-random"]}}]}}}]}"#
        #expect(NFCommand.text(of: NFCommand.replacing(Self.table)) == expected)
    }

    @Test func `a table that is taken away need not be there`() {
        #expect(
            NFCommand.text(of: NFCommand.removing(Self.id))
                == #"{"nftables":[{"metainfo":{"json_schema_version":1}},"#
                + #"{"add":{"table":{"family":"inet","name":"x"}}},{"delete":{"table":{"family":"inet","name":"x"}}}]}"#
        )
    }

    @Test func `a listing is read back as the table that was written`() throws {
        #expect(try NFTable.tables(inListing: Self.listing) == [Self.table])
    }

    @Test(arguments: [
        (#""prio": 100"#, #""prio": 101"#), (#""op": "!=""#, #""op": "==""#), (#""len": 16"#, #""len": 17"#),
        (#""flags": "fully-random""#, #""flags": ["random", "fully-random"]"#),
        (#"{"return": null}"#, #"{"accept": null}"#),
        (#"{"return": null}"#, #"{"counter": null}, {"return": null}"#), (#""policy": "accept""#, #""policy": "drop""#),
        (#""name": "x", "handle": 1"#, #""name": "x", "handle": 1, "flags": ["dormant"]"#),
        (#"{"flags": "fully-random"}"#, #"{"flags": "fully-random", "port": 1024}"#),
        (#"[{"match": {"op": "==", "left": {"&""#, #"[{"drop": null}, {"match": {"op": "==", "left": {"&""#),
        (#""right": 16384"#, #""right": 4294967297"#), (#"say \"why\""#, "else"),
    ])
    func `whatever was altered makes another table`(text: String, replacement: String) throws {
        let listing = Self.listing.replacing(text, with: replacement)
        #expect(listing != Self.listing)
        let tables = try NFTable.tables(inListing: listing)
        #expect(tables.map(\.id) == [Self.id] && tables != [Self.table])
    }

    @Test func `a set that others put into a table is seen`() throws {
        let listing =
            Self.listing.dropLast(2)
            + #", {"set": {"family": "inet", "name": "s", "table": "x", "type": "ipv4_addr", "handle": 9}}]}"#
        #expect(try NFTable.tables(inListing: String(listing)).first?.others.count == 1)
    }

    @Test func `chains alone are found with their tables`() throws {
        let listing =
            #"{"nftables": [{"metainfo": {}}, {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "handle": 1, "#
            + #""type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}}, "#
            + #"{"chain": {"family": "ip", "table": "filter", "name": "DOCKER", "handle": 2}}]}"#
        let base = NFChain.Base(type: "filter", hook: "forward", priority: 0, policy: .drop)
        #expect(
            try NFTable.tables(inListing: listing)
                == [NFTable(NFTable.ID(.ip, "filter"), chains: [NFChain("FORWARD", base: base), NFChain("DOCKER")])])
    }

    @Test(arguments: ["", "nonsense", "{}", #"{"nftables": 1}"#])
    func `a listing that is none is an error`(text: String) {
        #expect(throws: NFTablesError.self) { try NFTable.tables(inListing: text) }
    }

    @Test(arguments: [
        ("internal:0:0-0: Error: Could not process rule: Operation not permitted\n", NFTablesError.Cause.notPermitted),
        ("Error: No such file or directory\nlist table ip x\n              ^\n", .absent),
        ("internal:0:0-0: Error: Could not process rule: Operation not supported\n\n\n", .notSupported),
        ("Error: syntax error, unexpected newline\nadd\n  ^\n", .refused("syntax error, unexpected newline")),
        ("", .refused("without a reason")),
    ])
    func `a complaint becomes one sentence`(text: String, cause: NFTablesError.Cause) {
        let error = NFTablesError(operand: "table inet x", complaint: text)
        #expect(error.cause == cause && error.description.hasPrefix("nftables table inet x: "))
        #expect(!error.description.contains("\n"))
    }
}

extension String {
    /// The first occurrence.
    fileprivate func replacing(_ text: String, with replacement: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return self[..<range.lowerBound] + replacement + self[range.upperBound...]
    }
}
