// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream into lines and hands them to the buffer; keeps the unfinished one.
struct LineSplitter {
    enum Outcome {
        case taken
        /// Nothing was taken: the same bytes come again once the consumer made room.
        case full
        case lineTooLong(limit: Int)
    }

    let buffer: LineBuffer
    private var partial: [UInt8] = []

    init(buffer: LineBuffer) { self.buffer = buffer }

    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        let limit = buffer.longestLine
        if buffer.pauseIfFull() { return .full }
        var lines: [[UInt8]] = []
        var rest = unsafe bytes[...]
        while let end = unsafe rest.firstIndex(of: UInt8(ascii: "\n")) {
            let piece = unsafe rest[..<end]
            unsafe rest = unsafe rest[(end + 1)...]
            if unsafe partial.count + piece.count > limit { return .lineTooLong(limit: limit) }
            if partial.isEmpty {
                lines.append(unsafe Array(piece))
            } else {
                unsafe partial.append(contentsOf: piece)
                lines.append(partial)
                partial = []
            }
        }
        if unsafe partial.count + rest.count > limit { return .lineTooLong(limit: limit) }
        unsafe partial.append(contentsOf: rest)
        if !lines.isEmpty { buffer.push(lines) }
        return .taken
    }

    /// The end of the stream, which also ends a last line without a newline.
    mutating func finish(_ error: CurlError?) {
        if error == nil, !partial.isEmpty { buffer.push([partial]) }
        partial = []
        buffer.finish(error)
    }
}
