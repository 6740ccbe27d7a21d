// SPDX-License-Identifier: Apache-2.0

import JSONText
import Leases

/// The value of a key under `PREFIX/tartan/tokens/`, which hangs on the lease's grant: `{"SHA256":"64 hex digits"}`.
struct TokenNote: Sendable {
    let digest: TokenDigest

    init(_ digest: TokenDigest) { self.digest = digest }

    /// `nil` for one that can't be read: it proves nobody.
    init?(json bytes: [UInt8]) {
        var text: String?
        do throws(JSONError) {
            var json = JSONReader(bytes)
            try json.object { member, json throws(JSONError) in
                if member == "SHA256" { text = try json.string() } else { try json.skip() }
            }
        } catch {
            return nil
        }
        let digits = (text ?? "").utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        let values = digits.compactMap(\.self)
        guard digits.count == 2 * TokenDigest.length, values.count == digits.count,
            let digest = TokenDigest(
                stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) })
        else { return nil }
        self.digest = digest
    }

    var json: [UInt8] {
        var json = JSONWriter()
        let text = digest.bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }
        json.object { $0.member("SHA256", text.joined()) }
        return json.bytes
    }
}
