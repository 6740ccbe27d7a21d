// SPDX-License-Identifier: Apache-2.0

/// The SHA-256 of a token that proves a lease's holder: what is kept, so that nobody can read a token from etcd.
///
/// A token has 256 random bits, so that a digest without salt or rounds can't be searched.
package struct TokenDigest: Sendable {
    /// How many bytes it has.
    package static let length = 32

    package let bytes: [UInt8]

    /// `nil` where it is not as long as a digest.
    package init?(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        guard self.bytes.count == Self.length else { return nil }
    }

    /// Whether they are the same, in a time that does not tell where they first differ.
    package func matches(_ other: TokenDigest) -> Bool {
        zip(bytes, other.bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
