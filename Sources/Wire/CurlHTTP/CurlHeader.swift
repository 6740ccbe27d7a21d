// SPDX-License-Identifier: Apache-2.0

/// One line of a request's head.
package struct CurlHeader: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// As libcurl wants it; `nil` where name or value would smuggle in another line.
    var line: String? {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }),
            value.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x09 })
        else { return nil }
        // A header without a value is written with a semicolon, or libcurl takes it for "do not send this one".
        return value.isEmpty ? "\(name);" : "\(name): \(value)"
    }
}
