// SPDX-License-Identifier: Apache-2.0

/// A request's query, read strictly: a parameter that nobody knows or that is there twice is an error, because a
/// mistyped filter that is silently left out answers another question than was asked.
struct QueryParameters {
    private var values: [String: String] = [:]

    init(_ query: String?, allowing names: Set<String>) throws(APIProblem) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw .badParameter(
                    String(parts[0]), "'\(pair)' has an escape that can't be read; write bytes as %XX, in UTF-8")
            }
            guard names.contains(name) else {
                let known = names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
                throw .badParameter(name, "there is no parameter '\(name)' here; known are: \(known)")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .badParameter(name, "the parameter '\(name)' is there twice; give it once")
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// The parameter's value as `parse` reads it; what `parse` throws is told with the parameter's name.
    func value<Value, Failure: Error>(
        _ name: String, _ parse: (String) throws(Failure) -> Value
    ) throws(APIProblem) -> Value? {
        guard let text = values[name] else { return nil }
        do {
            return try parse(text)
        } catch {
            throw .badParameter(name, "the parameter '\(name)' can't be used: \(error)")
        }
    }

    /// A whole number within bounds.
    func number(_ name: String, in bounds: ClosedRange<Int>) throws(APIProblem) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), bounds.contains(number), text.first != "+" else {
            throw .badParameter(
                name,
                "the parameter '\(name)' is '\(text)'; it must be a number from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound)")
        }
        return number
    }
}
