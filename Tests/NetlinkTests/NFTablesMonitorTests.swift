// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Netlink

@Suite struct NFTablesMonitorTests {
    /// What `nft add table inet tartan` makes the kernel say, as linux/netfilter/nf_tables.h lays it out.
    private static func newTable(_ type: UInt8) -> [UInt8] {
        [
            // length 48, NFNL_SUBSYS_NFTABLES << 8 | type, flags, sequence, port id
            48, 0, 0, 0, type, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
            // struct nfgenmsg: NFPROTO_INET, version 0, resource id
            1, 0, 0, 0,
            // NFTA_TABLE_NAME
            11, 0, 1, 0, 116, 97, 114, 116, 97, 110, 0, 0,
            // NFTA_TABLE_FLAGS, NFTA_TABLE_USE
            8, 0, 2, 0, 0, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0,
        ]
    }

    /// The end of a transaction: its first attribute is a number, here one whose bytes spell a name.
    private static let newGeneration: [UInt8] = [
        28, 0, 0, 0, 15, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0,
        8, 0, 1, 0, 116, 97, 114, 0,
    ]

    private func tells(_ bytes: [UInt8], of table: String) -> Bool {
        NFTablesMonitor.tells(bytes.span.bytes, of: table)
    }

    @Test func `a message about the table is heard, whatever it says of it`() {
        // NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_NEWRULE
        for type: UInt8 in [0, 2, 6] { #expect(tells(Self.newTable(type), of: "tartan")) }
        #expect(tells(Self.newGeneration + Self.newTable(0), of: "tartan"))
    }

    @Test func `a message about another table is not`() {
        #expect(!tells(Self.newTable(0), of: "tarta"))
        #expect(!tells(Self.newTable(0), of: "tartans"))
        #expect(!tells(Self.newGeneration, of: "tar"))
        #expect(!tells([], of: "tartan"))
    }

    @Test func `a message of another part of netfilter is not`() {
        var bytes = Self.newTable(0)
        bytes[5] = 1
        #expect(!tells(bytes, of: "tartan"))
    }

    @Test func `what can't be read counts as a change, and no bytes do harm`() {
        let whole = Self.newTable(0)
        for count in 1..<whole.count { #expect(tells(Array(whole.prefix(count)), of: "other")) }
        for index in whole.indices {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var bytes = whole
                bytes[index] = value
                _ = tells(bytes, of: "tartan")
            }
        }
    }
}
