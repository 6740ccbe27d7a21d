// SPDX-License-Identifier: Apache-2.0

@testable import NodeAPI
@testable import NodeClient

extension FuzzedParser {
    /// What clients of the REST endpoint send, and what the client gets.
    static let api: [FuzzedParser] = [
        FuzzedParser(
            "query",
            words: [
                "node=", "publicIP=", "contains=", "kind=", "limit=", "continue=", "&", "%", "%00", "%ff", "+", "=",
                "10.0.0.0/8",
            ]
        ) { bytes in
            let names: Set<String> = ["node", "publicIP", "contains", "kind", "limit", "continue"]
            guard let query = try? QueryParameters(String(decoding: bytes, as: UTF8.self), allowing: names) else {
                return
            }
            _ = try? NodeAPI.LeaseFilter(query)
            _ = try? query.number("limit", in: 1...10_000)
            _ = query["continue"].flatMap { ContinueToken(parsing: $0) }
        },
        FuzzedParser("continue-token", words: ["MTIg", "-", "_", "=", " "]) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            guard let token = ContinueToken(parsing: text) else { return }
            try BrokenPromise.unless(ContinueToken(parsing: token.text) == token, "\(token) is not read as written")
        },
        FuzzedParser("event-stream", words: ["data:", "event:", "id:", "retry:", "\n", "\n\n", "\r", "\u{FEFF}"]) {
            bytes in
            var parser = EventStreamParser()
            for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                _ = parser.take(Array(line))
            }
            parser.restart()
        },
        FuzzedParser("tokens", words: ["#", "\n", "\r\n", "Bearer ", "0123456789abcdef"]) { bytes in
            guard let tokens = try? BearerTokens(parsing: bytes) else { return }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = tokens.admit(text)
            try BrokenPromise.unless(!tokens.admit("Bearer "), "an empty token is let in")
        },
        FuzzedParser("address", words: ["unix:", "https://", "[::1]:1", ":", "/", "0.0.0.0:1", "none", "localhost"]) {
            bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            if let address = try? ListenAddress(parsing: text) {
                let again = try? ListenAddress(parsing: address.description)
                try BrokenPromise.unless(again == address, "\(address) is not read as written")
            }
            if let address = try? ServerAddress(parsing: text) {
                let again = try? ServerAddress(parsing: address.description)
                try BrokenPromise.unless(again?.description == address.description, "\(address) is not read as written")
            }
        },
    ]
}
