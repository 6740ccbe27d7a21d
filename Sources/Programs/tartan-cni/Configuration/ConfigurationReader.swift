// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText

/// Takes members of the types that are expected out of an object of the configuration; an error names the member with
/// its place, as `ipam.routes`.
struct ConfigurationReader {
    let object: JSONValue
    /// Where the object stands, with a dot behind it; empty for the whole.
    let place: String

    init(_ object: JSONValue, place: String = "") {
        self.object = object
        self.place = place
    }

    func text(_ name: String) throws(PluginError) -> String? {
        switch object[name] {
        case nil: return nil
        case .string(let text)?: return text.isEmpty ? nil : text
        case _?: throw mistaken(name, "must be a text")
        }
    }

    func bool(_ name: String) throws(PluginError) -> Bool? {
        switch object[name] {
        case nil: return nil
        case .bool(let value)?: return value
        case _?: throw mistaken(name, "must be true or false")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(PluginError) -> Int? {
        switch object[name] {
        case nil: return nil
        case .number(let digits)?:
            guard let value = Int(digits), range.contains(value) else { break }
            return value
        case _?: break
        }
        throw mistaken(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    func member(_ name: String) throws(PluginError) -> ConfigurationReader? {
        switch object[name] {
        case nil: return nil
        case .object(let members)?: return ConfigurationReader(.object(members), place: "\(place)\(name).")
        case _?: throw mistaken(name, "must be an object")
        }
    }

    func list(_ name: String) throws(PluginError) -> [JSONValue] {
        switch object[name] {
        case nil: return []
        case .array(let elements)?: return elements
        case _?: throw mistaken(name, "must be a list")
        }
    }

    func objects(_ name: String) throws(PluginError) -> [ConfigurationReader] {
        var readers: [ConfigurationReader] = []
        for (index, element) in try list(name).enumerated() {
            guard case .object = element else { throw mistaken(name, "must be a list of objects") }
            readers.append(ConfigurationReader(element, place: "\(place)\(name)[\(index)]."))
        }
        return readers
    }

    func texts(_ name: String) throws(PluginError) -> [String] {
        var texts: [String] = []
        for element in try list(name) {
            guard case .string(let text) = element else { throw mistaken(name, "must be a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func address(_ name: String) throws(PluginError) -> IPAddress? {
        guard let text = try text(name) else { return nil }
        do { return try IPAddress(parsing: text) } catch { throw mistaken(name, "is wrong: \(error)") }
    }

    func mac(_ name: String) throws(PluginError) -> MACAddress? {
        guard let text = try text(name) else { return nil }
        do { return try MACAddress(parsing: text) } catch { throw mistaken(name, "is wrong: \(error)") }
    }

    /// Refuses a member that would change what the pod gets if this plugin knew it.
    func refuse(_ name: String, because reason: String) throws(PluginError) {
        guard let value = object[name], value != .bool(false), value != .array([]), value != .string("") else { return }
        let text = String(decoding: value.bytes, as: UTF8.self)
        throw PluginError(.unsupportedField, "the configuration has \(place)\(name)=\(text), but \(reason)")
    }

    func mistaken(_ name: String, _ what: String) -> PluginError {
        PluginError(.badConfiguration, "\(place)\(name) in the network configuration \(what)")
    }
}
