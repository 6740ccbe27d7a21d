// SPDX-License-Identifier: Apache-2.0

/// The tokens that clients may show (RFC 6750).
///
/// Never printed: it has no description of its own on purpose, and its mirror is empty.
struct BearerTokens: Sendable, CustomReflectable, CustomStringConvertible {
    private let tokens: [[UInt8]]

    /// Below this many characters a token can be guessed.
    static let shortest = 16

    /// Reads tokens, one a line; empty lines and those that start with `#` don't count. Throws the end of a sentence.
    init(parsing text: [UInt8]) throws(Fault) {
        var tokens: [[UInt8]] = []
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let token = Self.trimmed(line)
            guard let first = token.first, first != UInt8(ascii: "#") else { continue }
            guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Fault(
                    reason: "has in line \(index + 1) a character that no token may have; use letters and digits")
            }
            guard token.count >= Self.shortest else {
                throw Fault(
                    reason: "has in line \(index + 1) a token of less than \(Self.shortest) characters, which can be "
                        + "guessed; make one with 'openssl rand -hex 32'")
            }
            tokens.append(Array(token))
        }
        guard !tokens.isEmpty else {
            throw Fault(reason: "has no token; make one with 'openssl rand -hex 32'")
        }
        self.tokens = tokens
    }

    struct Fault: Error, Hashable { let reason: String }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }

    /// Whether an `Authorization` header shows one of them (RFC 6750 section 2.1).
    func admit(_ header: String) -> Bool {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        return contains(Array(parts[1].drop { $0 == " " }.utf8))
    }

    /// Takes as long for one that is nearly right as for one that is not: it looks at every byte of every token.
    private func contains(_ shown: [UInt8]) -> Bool {
        var isKnown = false
        for token in tokens { isKnown = Self.equal(token, shown) || isKnown }
        return isKnown
    }

    /// How long it takes depends on the lengths alone.
    @inline(never)
    static func equal(_ secret: [UInt8], _ shown: [UInt8]) -> Bool {
        var difference = UInt(bitPattern: secret.count ^ shown.count)
        for index in secret.indices {
            let other = shown.isEmpty ? 0 : shown[index % shown.count]
            difference |= UInt(secret[index] ^ other)
        }
        return difference == 0
    }

    var count: Int { tokens.count }
    var description: String { "\(tokens.count) tokens" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
