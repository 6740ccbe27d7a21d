// SPDX-License-Identifier: Apache-2.0

/// Metrics in Prometheus' text format, version 0.0.4, in the making (Prometheus documentation, "Exposition formats").
package struct MetricsText {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 16 * 1024) { bytes.reserveCapacity(capacity) }

    /// What stands in front of a family's samples, once.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        raw("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
    }

    /// - Parameter labels: as ``labels(_:)`` writes them, or empty.
    package mutating func sample(_ name: String, labels: String = "", _ value: Double) {
        start(name, labels)
        raw(Self.text(of: value))
        raw("\n")
    }

    package mutating func sample(_ name: String, labels: String = "", _ value: Int) {
        start(name, labels)
        raw("\(value)\n")
    }

    /// A family of one sample without labels.
    package mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, .gauge, help)
        sample(name, value)
    }

    package mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        family(name, .gauge, help)
        sample(name, value)
    }

    private mutating func start(_ name: String, _ labels: String) {
        raw(name)
        if !labels.isEmpty {
            raw("{")
            raw(labels)
            raw("}")
        }
        raw(" ")
    }

    package mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// `name="value",...` with what the format asks to be escaped escaped.
    package static func labels(_ pairs: [(String, String)]) -> String {
        pairs.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// A whole number without its fraction, the rest as Swift writes it, which the format reads.
    static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return "\(whole)" }
        return "\(value)"
    }
}
