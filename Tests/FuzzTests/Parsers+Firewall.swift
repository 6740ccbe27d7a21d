// SPDX-License-Identifier: Apache-2.0

@testable import NFTables

extension FuzzedParser {
    /// What libnftables lists, other programs' tables among it.
    static let firewall: [FuzzedParser] = [
        FuzzedParser("nftables", words: jsonWords + ["nftables", "table", "chain", "rule", "family", "expr", "match"]) {
            bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try? JSONValue(parsing: text)
            _ = try? NFTable.tables(inListing: text)
        }
    ]
}
