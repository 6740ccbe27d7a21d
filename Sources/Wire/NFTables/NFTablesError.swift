// SPDX-License-Identifier: Apache-2.0

/// Why nftables did not do, or did not say, what it was asked for.
package struct NFTablesError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Cause: Hashable, Sendable {
        /// The kernel has no nftables, or not what the commands ask of it.
        case notSupported
        case notPermitted
        /// There is no such table or chain.
        case absent
        /// libnftables' first complaint.
        case refused(String)
        /// What libnftables printed is not what it says it prints.
        case malformed(String)
    }

    /// What it was about, in the words of `nft`.
    package let operand: String
    package let cause: Cause

    package init(operand: String, cause: Cause) {
        self.operand = operand
        self.cause = cause
    }

    package var description: String {
        let reason =
            switch cause {
            case .notSupported: "this kernel's nftables can't do that; NAT in an inet table needs Linux 5.2"
            case .notPermitted: "changing or reading nftables needs CAP_NET_ADMIN"
            case .absent: "there is none"
            case .refused(let text): "refused (\(text))"
            case .malformed(let text): "libnftables' answer can't be read: \(text)"
            }
        return "nftables \(operand): \(reason)"
    }

    /// libnftables' complaints are meant for a terminal: `FILE:LINE:COLUMNS: Error: TEXT`, then the commands with a
    /// line of carets. The text of the first one is what counts; error numbers are in it only as strerror(3) says them.
    init(operand: String, complaint: String) {
        let lines = complaint.split(whereSeparator: \.isNewline)
        let first = lines.first { $0.contains("Error: ") } ?? lines.first ?? "without a reason"
        let marker = "Error: "
        let text = first.range(of: marker).map { first[$0.upperBound...] } ?? first
        let cause: Cause =
            if text.hasSuffix("Operation not permitted") {
                .notPermitted
            } else if text.hasSuffix("No such file or directory") {
                .absent
            } else if text.hasSuffix("Operation not supported") || text.hasSuffix("Protocol not supported") {
                .notSupported
            } else {
                .refused(String(text))
            }
        self.init(operand: operand, cause: cause)
    }
}

extension Substring {
    /// The first place of a text; the standard library's own search needs a regular expression's machinery.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
