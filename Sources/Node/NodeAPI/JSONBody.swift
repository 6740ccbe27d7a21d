// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Hummingbird

/// JSON for the documents that are small and rarely asked for; leases have ``JSONText``.
enum JSONBody {
    static func encode(_ document: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return ByteBuffer(bytes: try encoder.encode(document))
        } catch {
            // The documents are texts, integers and booleans: nothing in them can fail to be written.
            preconditionFailure("a document that JSON can't hold: \(error)")
        }
    }

    static func response(_ document: some Encodable) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: encode(document)))
    }
}
