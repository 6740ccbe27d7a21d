// SPDX-License-Identifier: Apache-2.0

/// The head of an answer, kept as it came: most callers look at one line of it or at none.
package struct CurlHeaders: Sendable {
    private var bytes: [UInt8] = []

    package init() {}

    /// The first value under a name, whatever its case.
    package subscript(name: String) -> String? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                Self.equal(line[..<colon], name.utf8)
            else { continue }
            let value = line[line.index(after: colon)...]
                .drop { Self.isBlank($0) }
                .reversed().drop { Self.isBlank($0) }.reversed()
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }

    mutating func append(_ line: some Collection<UInt8>) { bytes.append(contentsOf: line) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private static func equal(_ left: ArraySlice<UInt8>, _ right: String.UTF8View) -> Bool {
        left.elementsEqual(right) { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
