// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@testable import Netlink

/// The kernel is trusted, bytes are not: nothing that arrives makes the readers read outside of it or loop.
@Suite struct FuzzTests {
    /// Reads the bytes as everything that they might be.
    private func readAll(_ bytes: [UInt8]) -> Int {
        var reader = MessageReader(bytes.span.bytes)
        var found = 0
        while let message = reader.next() {
            found += 1
            _ = Answer(message)
            _ = Answer.endOfDump(message)
            _ = LinkMessage(message)
            _ = AddressMessage(message)
            _ = RouteMessage(message)
            _ = RouteQuery(message)
            _ = NextHopMessage(message)
            _ = NeighborMessage(message)
            var attributes = AttributeReader(message.payload)
            while let attribute = attributes.next() {
                _ = attribute.text
                _ = (attribute.mac, attribute.address, attribute.bigEndian16)
                var nested = attribute.nested
                while nested.next() != nil {}
            }
        }
        return found
    }

    @Test func `random bytes are safe to read`() {
        var random = Generator(state: 7)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...160, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(readAll(bytes) <= bytes.count / 16 + 1)
        }
    }

    @Test func `captured messages with bytes changed, cut off or doubled are safe to read`() {
        var random = Generator(state: 11)
        let captured = Captured.all.map(Hex.bytes)
        for _ in 0..<20_000 {
            var bytes = captured.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = [0, 1, 3, 4, 5, 127, 128, 254, 255].randomElement(using: &random) ?? 0
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            if Bool.random(using: &random) { bytes += captured.randomElement(using: &random) ?? [] }
            #expect(readAll(bytes) <= bytes.count / 16 + 1)
        }
    }

    @Test(arguments: [0, 1, 15, 17, 255, UInt32.max])
    func `a message whose length is not that of a message ends the reading`(length: UInt32) {
        var bytes = [UInt8](repeating: 0, count: 16)
        withUnsafeBytes(of: length) { bytes.replaceSubrange(0..<4, with: $0) }
        var reader = MessageReader(bytes.span.bytes)
        for _ in 0..<2 {
            if reader.next() != nil { Issue.record("a message of length \(length)") }
            let isMalformed = reader.isMalformed
            #expect(isMalformed)
        }
    }

    @Test(arguments: [0, 1, 3, 9, 255, UInt16.max])
    func `an attribute whose length does not fit ends the attributes`(length: UInt16) {
        let bytes = [UInt8(length & 255), UInt8(length >> 8), 1, 0, 9, 9, 9, 9]
        var reader = AttributeReader(bytes.span.bytes)
        if reader.next() != nil { Issue.record("an attribute of length \(length)") }
    }
}

/// Small and the same everywhere.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
