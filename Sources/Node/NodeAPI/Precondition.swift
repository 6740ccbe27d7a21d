// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Leases

/// `If-Match` or `If-None-Match` of a changing request (RFC 9110 section 13.1), as the revisions of a lease that it
/// names: an entity tag of this endpoint is a revision, or a revision, a dash and a digest of the rest.
struct Precondition {
    private let isAny: Bool
    private let tags: [(value: Substring, isWeak: Bool)]

    /// `nil` where the request has no such header.
    init?(_ name: HTTPField.Name, of request: Request) throws(APIProblem) {
        let values = request.headers[values: name]
        guard !values.isEmpty else { return nil }
        let text = values.joined(separator: ",")
        isAny = text.filter { $0 != " " && $0 != "\t" } == "*"
        guard let tags = isAny ? [] : Self.parse(text) else {
            throw .badParameter(
                name.rawName,
                "the header \(name.rawName) must be entity tags in quotation marks, such as \"12\", or an asterisk")
        }
        self.tags = tags
    }

    /// Whether it names what the lease is now, by the strong comparison: a weak tag names nothing for sure.
    func names(_ lease: Lease?) -> Bool {
        guard let lease else { return false }
        return isAny || tags.contains { !$0.isWeak && $0.value.prefix { $0 != "-" } == "\(lease.modRevision)" }
    }

    private static func parse(_ text: String) -> [(value: Substring, isWeak: Bool)]? {
        var found: [(Substring, Bool)] = []
        var rest = text[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            guard !rest.isEmpty else { return found.isEmpty ? nil : found }
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            if rest.first == "\"" {
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                found.append((rest[..<end], isWeak))
                rest = rest[end...].dropFirst()
            } else {
                // A revision as a person types it, whose shell ate the quotation marks: it can't mean anything else.
                let bare = rest.prefix { $0.isASCII && $0.isHexDigit || $0 == "-" }
                guard !isWeak, bare.first?.isNumber ?? false else { return nil }
                found.append((bare, false))
                rest = rest[bare.endIndex...]
            }
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard rest.isEmpty || rest.first == "," else { return nil }
        }
    }

    static func failed(_ name: String, _ lease: Lease?, _ key: SubnetKey) -> APIProblem {
        APIProblem(
            status: .preconditionFailed, title: "Precondition failed",
            detail: lease.map {
                "\(key.subnet) is at revision \($0.modRevision) now, which \(name) does not allow; look at it again"
            }
                ?? "nobody has \(key.subnet), and \(name) asks for what somebody has",
            parameter: name)
    }
}
