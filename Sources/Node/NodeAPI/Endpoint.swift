// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// One method on one path of openapi.yaml, and what answers it.
struct Endpoint: Sendable {
    typealias Handler = @Sendable (Request, APIRequestContext) async throws -> Response

    let method: HTTPRequest.Method
    /// As in openapi.yaml: `/v1/leases/{subnet}`.
    let path: String
    let handler: Handler

    /// Whether it may change something (RFC 9110 section 9.2.1); a listener that only reads refuses it.
    var isChange: Bool { ![.get, .head, .options].contains(method) }

    static func get(_ path: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .get, path: path, handler: handler)
    }
}

/// Which paths there are, and what each can be asked.
struct EndpointTable: Sendable {
    private struct Row {
        let path: String
        let pattern: [Substring]
        var methods: [HTTPRequest.Method]
    }

    private var rows: [Row] = []

    init(_ endpoints: [Endpoint]) {
        for endpoint in endpoints {
            let pattern = endpoint.path.split(separator: "/")
            if let index = rows.firstIndex(where: { $0.pattern == pattern }) {
                rows[index].methods.append(endpoint.method)
            } else {
                rows.append(Row(path: endpoint.path, pattern: pattern, methods: [endpoint.method]))
            }
        }
    }

    /// The `Allow` header of a path (RFC 9110 section 10.2.1); `nil` where there is no such path.
    func allow(_ path: String) -> String? {
        guard let row = row(path[...]) else { return nil }
        let methods = row.methods + (row.methods.contains(.get) ? [.head] : []) + [.options]
        return methods.map(\.rawValue).joined(separator: ", ")
    }

    /// The path as openapi.yaml has it; `nil` where there is none. A query may follow.
    func route(_ path: String) -> String? { row(path.prefix { $0 != "?" })?.path }

    private func row(_ path: Substring) -> Row? {
        let parts = path.split(separator: "/")
        return rows.first { Self.matches($0.pattern, parts) }
    }

    private static func matches(_ pattern: [Substring], _ parts: [Substring]) -> Bool {
        pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
