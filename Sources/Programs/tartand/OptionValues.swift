// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// Options as values of their types; what does not fit names the option.
struct OptionValues {
    let reader: OptionReader

    func find(_ option: OptionName) throws(ConfigurationFault) -> OptionReader.Found? { try reader.find(option) }

    func text(_ option: OptionName) throws(ConfigurationFault) -> String? {
        guard let found = try find(option) else { return nil }
        guard let text = found.values.first, !text.isEmpty else {
            throw ConfigurationFault(found.origin, option, "must not be empty")
        }
        return text
    }

    func parsed<Value>(
        _ option: OptionName, _ parse: (String) throws(AddressParsingError) -> Value
    ) throws(ConfigurationFault) -> Value? {
        guard let found = try find(option) else { return nil }
        do {
            return try parse(found.values.first ?? "")
        } catch {
            throw ConfigurationFault(found.origin, option, "\(error)")
        }
    }

    func duration(
        _ option: OptionName, default standard: Duration, in range: ClosedRange<Duration>
    ) throws(ConfigurationFault) -> Duration {
        guard let found = try find(option), let text = found.values.first else { return standard }
        guard let value = Duration(text: text) else {
            throw ConfigurationFault(found.origin, option, "'\(text)' is not a duration such as 24h, 90s or 10m")
        }
        guard range.contains(value) else {
            throw ConfigurationFault(
                found.origin, option,
                "'\(text)' is not within \(range.lowerBound.components.seconds)s and "
                    + "\(range.upperBound.components.seconds)s")
        }
        return value
    }

    func flag(_ option: OptionName) throws(ConfigurationFault) -> Bool {
        try oneOf(option, ["true": true, "false": false, "yes": true, "no": false, "1": true, "0": false]) ?? false
    }

    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ option: OptionName, default standard: Choice
    ) throws(ConfigurationFault) -> Choice {
        try oneOf(option, Dictionary(uniqueKeysWithValues: Choice.allCases.map { ($0.rawValue, $0) })) ?? standard
    }

    func oneOf<Value>(_ option: OptionName, _ choices: [String: Value]) throws(ConfigurationFault) -> Value? {
        guard let found = try find(option), let text = found.values.first else { return nil }
        guard let value = choices[text.lowercased()] else {
            throw ConfigurationFault(
                found.origin, option, "'\(text)' is none of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return value
    }
}
