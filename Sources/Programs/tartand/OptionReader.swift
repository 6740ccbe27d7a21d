// SPDX-License-Identifier: Apache-2.0

import Configuration
import FoundationEssentials
import SystemPackage
import Yams

/// One option from the first place that has it: command line, environment, file.
struct OptionReader {
    typealias Found = (values: [String], origin: ConfigurationFault.Origin)

    private let given: [OptionName: [String]]
    private let environment: any ConfigProvider
    private let file: (provider: any ConfigProvider, path: String)?

    /// - Parameter configFile: the path that `--config` names.
    init(
        given: [OptionName: [String]], environment: [String: String], configFile: String?
    ) async throws(ConfigurationFault) {
        self.given = given
        self.environment = EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "tartan")
        guard let path = configFile ?? environment["TARTAN_CONFIG"] else {
            file = nil
            return
        }
        let origin = ConfigurationFault.Origin.file(path)
        do {
            // An empty file has no options, which the provider takes for an error.
            guard try Self.hasOptions(path) else {
                file = nil
                return
            }
            file = (try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)), path)
        } catch let fault as ConfigurationFault {
            throw fault
        } catch let error as CocoaError {
            let reason = error.code == .fileReadNoSuchFile ? "does not exist" : "can't be read"
            throw ConfigurationFault(origin: origin, subject: "the file \(path) that --config names", reason: reason)
        } catch {
            let reason = "is not YAML: \(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
            throw ConfigurationFault(origin: origin, subject: path, reason: reason)
        }
    }

    /// Whether there is anything in the file, all of it options: swift-configuration reads the keys that it is asked
    /// for, so a misspelt one would be passed over in silence.
    private static func hasOptions(_ path: String) throws -> Bool {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let root = try Yams.compose(yaml: text), root.null == nil else { return false }
        let origin = ConfigurationFault.Origin.file(path)
        guard let mapping = root.mapping else {
            throw ConfigurationFault(
                origin: origin, subject: path, reason: "is not a list of options such as 'iface: eth0'")
        }
        for (key, value) in mapping {
            let name = key.string ?? "?"
            guard let option = OptionName(rawValue: name) else {
                throw ConfigurationFault(origin: origin, subject: "'\(name)' in \(path)", reason: "is not an option")
            }
            if value.mapping != nil { throw ConfigurationFault(origin, option, "must not have keys of its own") }
        }
        return !mapping.isEmpty
    }

    func find(_ option: OptionName) throws(ConfigurationFault) -> Found? {
        if let values = given[option] { return (values, .commandLine) }
        if let values = try look(option, in: environment, .environment) { return (values, .environment) }
        guard let file else { return nil }
        let origin = ConfigurationFault.Origin.file(file.path)
        return try look(option, in: file.provider, origin).map { ($0, origin) }
    }

    private func look(
        _ option: OptionName, in provider: any ConfigProvider, _ origin: ConfigurationFault.Origin
    ) throws(ConfigurationFault) -> [String]? {
        let key = AbsoluteConfigKey([option.rawValue])
        let takesList = option.isRepeatable || option == .etcdEndpoints
        if takesList, origin != .environment,
            let value = (try? provider.value(forKey: key, type: .stringArray))?.value,
            case .stringArray(let values) = value.content
        {
            return values
        }
        do {
            guard let value = try provider.value(forKey: key, type: .string).value,
                case .string(let text) = value.content
            else { return nil }
            return option.isRepeatable ? text.split(separator: ",").map(String.init) : [text]
        } catch {
            throw ConfigurationFault(origin, option, "must be \(takesList ? "a text or a list of texts" : "one value")")
        }
    }
}
