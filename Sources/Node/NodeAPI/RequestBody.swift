// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPTypes
import Hummingbird

/// A request's body, read strictly: what nobody knows is an error, because a mistyped field that is silently left out
/// asks for something else.
enum RequestBody {
    /// - Parameter fields: the names that an object may have, by the path to it; the body itself is at "".
    static func read<Document: Decodable>(
        _ type: Document.Type, of request: Request, _ context: APIRequestContext, fields: [String: Set<String>]
    ) async throws -> Document {
        try requireJSON(request)
        let bytes = try await request.body.collect(upTo: context.maxUploadSize)
        guard bytes.readableBytes > 0 else {
            throw problem("", "the body is empty; it must be a JSON object")
        }
        let data = Data(bytes.readableBytesView)
        do {
            let shape = try JSONDecoder().decode(Shape.self, from: data)
            try check(shape, at: "", fields)
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw problem(error)
        }
    }

    private static func requireJSON(_ request: Request) throws(APIProblem) {
        let type = request.headers[.contentType] ?? ""
        let media = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard media == "application/json" else {
            throw APIProblem(
                status: .unsupportedMediaType, title: "Unsupported media type",
                detail: "the body is "
                    + (type.isEmpty ? "of no kind that the request names" : "'\(type)'")
                    + "; send JSON, and say 'Content-Type: application/json'",
                headers: [.accept: "application/json"])
        }
    }

    private static func check(
        _ shape: Shape, at path: String, _ fields: [String: Set<String>]
    ) throws(APIProblem) {
        guard let known = fields[path] else { return }
        for name in shape.members.keys.sorted() {
            let full = path.isEmpty ? name : "\(path).\(name)"
            guard known.contains(name) else {
                throw problem(
                    full, "there is no field '\(full)' here; known are: \(known.sorted().joined(separator: ", "))")
            }
            if let inner = shape.members[name] { try check(inner, at: full, fields) }
        }
    }

    /// In our own words: the decoder's may hold what the client sent.
    private static func problem(_ error: DecodingError) -> APIProblem {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + [last].compactMap(\.self)).map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let name = path(context, key)
            return problem(name, "the field '\(name)' is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let name = path(context)
            return name.isEmpty
                ? problem("", "the body must be a JSON object")
                : problem(name, "the field '\(name)' is of the wrong type")
        case .dataCorrupted(let context):
            let name = path(context)
            return name.isEmpty
                ? problem("", "the body is not JSON")
                : problem(name, "the field '\(name)' has a value that can't be read")
        @unknown default: return problem("", "the body can't be read")
        }
    }

    static func problem(_ field: String, _ detail: String) -> APIProblem {
        APIProblem(
            status: .badRequest, title: "Bad body", detail: detail, parameter: field.isEmpty ? nil : field)
    }

    /// The names in a JSON object and in the objects in it.
    private struct Shape: Decodable {
        var members: [String: Shape] = [:]

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let isTop = decoder.codingPath.isEmpty
            let container: KeyedDecodingContainer<Name>
            do {
                container = try decoder.container(keyedBy: Name.self)
            } catch {
                if isTop { throw error }
                return
            }
            for name in container.allKeys { members[name.stringValue] = try container.decode(Shape.self, forKey: name) }
        }
    }
}
