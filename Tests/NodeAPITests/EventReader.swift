// SPDX-License-Identifier: Apache-2.0

import APISchema
import CurlHTTP
import FoundationEssentials
import NodeAPI

/// Reads an event stream as a browser does.
struct EventReader {
    struct Event: Equatable {
        var name: String
        var id: String?
        var data: String
    }

    let stream: CurlStream
    private var lines: LineSequence.Iterator

    init(_ client: CurlClient, _ address: ListenAddress, lastEvent: String? = nil, query: String? = nil) async throws {
        let headers =
            [CurlHeader("Accept", "text/event-stream")] + (lastEvent.map { [CurlHeader("Last-Event-ID", $0)] } ?? [])
        stream = try await client.stream(
            CurlRequest(
                url: "http://\(address)/v1/leases\(query.map { "?\($0)" } ?? "")", headers: headers,
                freshConnection: true))
        lines = stream.lines.makeAsyncIterator()
    }

    /// The next event; `nil` at the end of the stream.
    mutating func next() async throws -> Event? {
        var event = Event(name: "message", id: nil, data: "")
        while let bytes = try await lines.next(isolation: nil) {
            let line = String(decoding: bytes, as: UTF8.self)
            guard !line.isEmpty else {
                if !event.data.isEmpty { return event }
                continue
            }
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { continue }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            switch line[..<colon] {
            case "event": event.name = value
            case "id": event.id = value
            case "data": event.data += value
            default: break
            }
        }
        return nil
    }

    func close() { stream.lines.cancel() }
}

extension EventReader.Event {
    func lease() throws -> LeaseDocument { try JSONDecoder().decode(LeaseDocument.self, from: Data(data.utf8)) }
    func list() throws -> LeaseListDocument { try JSONDecoder().decode(LeaseListDocument.self, from: Data(data.utf8)) }
}
