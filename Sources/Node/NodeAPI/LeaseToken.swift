// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Leases

/// What proves the holder of a lease that an authority made. Said once, in the answer to the request that made it;
/// never logged, and kept nowhere but as a digest.
struct LeaseToken {
    let text: String

    /// The same in every request with that `Idempotency-Key` for the same node, at every authority, so that an answer
    /// that was lost can be given again by one that does not know of it; else a new one of 256 random bits.
    init(idempotencyKey: String?, node: String, publicIP: String) {
        if let idempotencyKey {
            let code = HMAC<SHA256>.authenticationCode(
                for: Data("tartan lease token\n\(node)\n\(publicIP)".utf8),
                using: SymmetricKey(data: Data(idempotencyKey.utf8)))
            text = Self.text(of: Array(code))
        } else {
            // getrandom(2).
            var random = SystemRandomNumberGenerator()
            text = Self.text(of: (0..<32).map { _ in UInt8.random(in: 0 ... .max, using: &random) })
        }
    }

    init(text: String) { self.text = text }

    var digest: TokenDigest {
        guard let digest = TokenDigest(SHA256.hash(data: Data(text.utf8))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return digest
    }

    /// Base64 for addresses (RFC 4648 section 5), without padding.
    private static func text(of bytes: [UInt8]) -> String {
        let standard = Data(bytes).base64EncodedString()
        return String(
            standard.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}
