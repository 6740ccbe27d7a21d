// SPDX-License-Identifier: Apache-2.0

import Glibc

@testable import NodeAPI

/// A connection that sends the bytes it is told to, whatever HTTP says of them.
final class RawConnection {
    private let descriptor: Int32
    private(set) var received: [UInt8] = []
    private(set) var isClosed = false

    init(_ address: ListenAddress) throws {
        guard case .tcp(_, let port) = address else { throw NotListening() }
        descriptor = try RawClient.connect(port: port)
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.send(descriptor, Array(bytes[sent...]), bytes.count - sent, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            sent += count
        }
    }

    private func take() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else {
                if count == 0 || errno != EAGAIN { isClosed = true }
                return
            }
            received += buffer[..<count]
        }
    }

    /// What has come of an answer, if that is all of it; takes nothing away.
    func poll() -> RawAnswer? {
        take()
        return RawAnswer.first(in: received, hasBody: true)?.0
    }

    /// One whole answer, and what is left stays for the next; an answer without a length ends with its head.
    func answer(hasBody: Bool = true) async throws -> RawAnswer {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            take()
            if let (answer, size) = RawAnswer.first(in: received, hasBody: hasBody) {
                received.removeFirst(size)
                return answer
            }
            guard !isClosed, .now < deadline else { throw NeverHappened() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func ask(_ text: String, hasBody: Bool = true) async throws -> RawAnswer {
        send(text)
        return try await answer(hasBody: hasBody)
    }

    /// Waits for the other side's end, reading what comes.
    func closed() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !isClosed {
            take()
            guard .now < deadline else { throw NeverHappened() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

struct RawAnswer: Equatable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var isProblem: Bool {
        headers["content-type"] == "application/problem+json" && text.contains("\"status\":\(status)")
    }

    static func first(in bytes: [UInt8], hasBody: Bool) -> (RawAnswer, size: Int)? {
        let text = String(decoding: bytes.prefix(1 << 15), as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let start = text[..<end.upperBound].utf8.count
        let length = hasBody ? Int(headers["content-length"] ?? "") ?? 0 : 0
        guard bytes.count >= start + length else { return nil }
        return (RawAnswer(status: status, headers: headers, body: Array(bytes[start..<start + length])), start + length)
    }
}
