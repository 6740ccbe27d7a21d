// SPDX-License-Identifier: Apache-2.0

/// Reads an event stream (HTML Standard, "Server-sent events", section 9.2.6) line by line.
///
/// Invariant: ``lastEventID`` is the id of the last event that was returned, or of a later one without data: what a
/// new connection resumes after.
struct EventStreamParser: Sendable {
    struct Event: Hashable, Sendable {
        /// `message` where the stream does not name it.
        var name: String
        var data: [UInt8]
        var id: String?
    }

    private(set) var lastEventID: String?
    private var pendingID: String?
    private var name: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var isFirstLine = true

    /// Takes a line without its newline; returns the event that it completes.
    mutating func take(_ line: [UInt8]) -> Event? {
        var line = line[...]
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let field = String(decoding: line[..<colon], as: UTF8.self)
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch field {
        case "event": name = Array(value)
        case "data":
            if hasData { data.append(UInt8(ascii: "\n")) }
            data += value
            hasData = true
        case "id" where !value.contains(0): pendingID = String(decoding: value, as: UTF8.self)
        default: break  // a comment, or a field that nobody knows
        }
        return nil
    }

    /// A new connection begins: what was half read is not worth anything, the last id is.
    mutating func restart() {
        let id = lastEventID
        self = EventStreamParser()
        lastEventID = id
        pendingID = id
    }

    private mutating func dispatch() -> Event? {
        lastEventID = pendingID
        defer {
            name = []
            data = []
            hasData = false
        }
        guard hasData else { return nil }
        return Event(
            name: name.isEmpty ? "message" : String(decoding: name, as: UTF8.self), data: data, id: lastEventID)
    }
}
