// SPDX-License-Identifier: Apache-2.0

/// A parser of what others write, as the fuzzers see it: any bytes may come, and it must return.
struct FuzzedParser: Sendable, CustomStringConvertible {
    /// Also the name of its folder in `Tests/FuzzCorpus`.
    let name: String
    /// Texts that mean something to it, for the mutator.
    let words: [String]
    /// How much slower it is than the others: it gets so many times fewer inputs.
    let cost: Int
    /// Throws only where a promise was broken: what was read and written must read the same.
    let parse: @Sendable ([UInt8]) async throws -> Void

    init(
        _ name: String, words: [String] = [], cost: Int = 1, _ parse: @escaping @Sendable ([UInt8]) async throws -> Void
    ) {
        self.name = name
        self.words = words
        self.cost = cost
        self.parse = parse
    }

    var description: String { name }
}

/// A promise that does not hold.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func unless(_ holds: Bool, _ promise: @autoclosure () -> String) throws {
        if !holds { throw BrokenPromise(promise()) }
    }
}

/// What each JSON document may turn on.
let jsonWords = [
    "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "\\", "null", "true", "-0", "1e999",
    "9223372036854775808",
    "0.1", "\u{FEFF}", "\\/", "{}", "[]",
]
