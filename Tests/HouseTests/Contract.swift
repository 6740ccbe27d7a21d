// SPDX-License-Identifier: Apache-2.0

import Foundation
import Yams

/// openapi.yaml, read as what it is: maps, lists and scalars.
struct Contract {
    let text: String
    private let root: [String: Any]

    init() throws {
        text = try String(contentsOf: SourceTree.root.appending(path: "openapi.yaml"), encoding: .utf8)
        root = try Yams.load(yaml: text) as? [String: Any] ?? [:]
    }

    /// `GET /v1/leases` and so on.
    var operations: Set<String> {
        let paths = root["paths"] as? [String: [String: Any]] ?? [:]
        let methods: Set<String> = ["get", "put", "post", "delete", "patch", "head", "options", "trace"]
        return Set(
            paths.flatMap { path, item in
                item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
            })
    }

    /// Each operation with the status codes that it may answer with.
    var answers: [String: Set<String>] {
        let paths = root["paths"] as? [String: [String: Any]] ?? [:]
        var found: [String: Set<String>] = [:]
        for (path, item) in paths {
            for (method, operation) in item {
                guard let responses = (operation as? [String: Any])?["responses"] as? [String: Any] else { continue }
                found["\(method.uppercased()) \(path)"] = Set(responses.keys)
            }
        }
        return found
    }

    var schemas: [String: Any] { (root["components"] as? [String: Any])?["schemas"] as? [String: Any] ?? [:] }

    /// Every example with the schema that it is one of.
    var examples: [(name: String, value: Any, schema: Any)] {
        var found: [(String, Any, Any)] = []
        func visit(_ value: Any, _ path: String) {
            if let map = value as? [String: Any] {
                if let schema = map["schema"] {
                    if let example = map["example"] { found.append((path, example, schema)) }
                    for (name, example) in map["examples"] as? [String: Any] ?? [:] {
                        let target = resolve(example) as? [String: Any]
                        if let value = target?["value"] { found.append(("\(path)/\(name)", value, schema)) }
                    }
                }
                for (key, inner) in map where key != "example" && key != "examples" { visit(inner, "\(path)/\(key)") }
            } else if let list = value as? [Any] {
                for (index, inner) in list.enumerated() { visit(inner, "\(path)/\(index)") }
            }
        }
        visit(root, "")
        return found
    }

    /// Every `$ref` that leads nowhere.
    var danglingReferences: [String] {
        var found: [String] = []
        func visit(_ value: Any) {
            if let map = value as? [String: Any] {
                if let reference = map["$ref"] as? String, target(of: reference) == nil { found.append(reference) }
                map.values.forEach(visit)
            } else if let list = value as? [Any] {
                list.forEach(visit)
            }
        }
        visit(root)
        return found
    }

    private func target(of reference: String) -> Any? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(root as Any?) { value, key in
            (value as? [String: Any])?[String(key)]
        }
    }

    private func resolve(_ value: Any) -> Any {
        guard let reference = (value as? [String: Any])?["$ref"] as? String else { return value }
        return target(of: reference).map(resolve) ?? value
    }

    /// What is wrong with a value by a schema: the words of JSON Schema 2020-12 that openapi.yaml uses, no others.
    func faults(of value: Any?, by schema: Any, at path: String = "$") -> [String] {
        guard let schema = resolve(schema) as? [String: Any] else { return ["\(path): no schema"] }
        if let choices = schema["oneOf"] as? [Any] {
            let fits = choices.filter { faults(of: value, by: $0, at: path).isEmpty }.count
            return fits == 1 ? [] : ["\(path): fits \(fits) of oneOf"]
        }
        if let allowed = schema["enum"] as? [String], !allowed.contains(value as? String ?? "") {
            return ["\(path): '\(value ?? "nothing")' is none of \(allowed)"]
        }
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        let type = Self.type(of: value)
        guard types.isEmpty || types.contains(type) else { return ["\(path): \(type), not \(types)"] }
        switch type {
        case "object": return faults(ofObject: value as? [String: Any] ?? [:], by: schema, at: path)
        case "array":
            guard let items = schema["items"] else { return [] }
            return (value as? [Any] ?? []).enumerated().flatMap { faults(of: $1, by: items, at: "\(path)[\($0)]") }
        case "integer":
            let number = value as? Int ?? 0
            let low = schema["minimum"] as? Int ?? .min
            let high = schema["maximum"] as? Int ?? .max
            return (low...high).contains(number) ? [] : ["\(path): \(number) is out of bounds"]
        case "string":
            guard let pattern = schema["pattern"] as? String, let text = value as? String else { return [] }
            let fits = (try? Regex(pattern).firstMatch(in: text)) ?? nil
            return fits == nil ? ["\(path): '\(text)' does not match \(pattern)"] : []
        default: return []
        }
    }

    private func faults(ofObject object: [String: Any], by schema: [String: Any], at path: String) -> [String] {
        let properties = schema["properties"] as? [String: Any] ?? [:]
        var found = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }
            .map { "\(path): '\($0)' is missing" }
        for (key, inner) in object {
            if let property = properties[key] {
                found += faults(of: inner, by: property, at: "\(path).\(key)")
            } else if schema["additionalProperties"] as? Bool == false {
                found.append("\(path): '\(key)' is not in the schema")
            }
        }
        return found
    }

    private static func type(of value: Any?) -> String {
        switch value {
        case nil, is NSNull: "null"
        case is Bool: "boolean"
        case is Int: "integer"
        case is Double: "number"
        // A timestamp of YAML is a string of JSON.
        case is String, is Date: "string"
        case is [Any]: "array"
        case is [String: Any]: "object"
        default: "unknown"
        }
    }

    /// JSON, read by Yams, which keeps booleans and integers apart: JSON is YAML.
    static func value(ofJSON data: Data) throws -> Any? { try Yams.load(yaml: String(decoding: data, as: UTF8.self)) }

    /// The values of an enumeration.
    static func names(_ schema: Any?) -> [String] { (schema as? [String: Any])?["enum"] as? [String] ?? [] }
}
