// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import NodeClient

/// The examples of the HTML Standard's section on server-sent events, and what it says beside them.
@Suite struct EventStreamParserTests {
    private func events(_ text: String) -> [EventStreamParser.Event] {
        var parser = EventStreamParser()
        // By bytes: to a String "\r\n" is one character.
        return text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .compactMap { parser.take(Array($0)) }
    }

    private func event(_ data: String, name: String = "message", id: String? = nil) -> EventStreamParser.Event {
        EventStreamParser.Event(name: name, data: Array(data.utf8), id: id)
    }

    @Test func `lines of data are one event`() {
        #expect(events("data: YHOO\ndata: +2\ndata: 10\n\n") == [event("YHOO\n+2\n10")])
    }

    @Test func `comments, unknown fields and events without data say nothing`() {
        let text = ": test stream\n\nfoo: bar\nevent: x\n\ndata: first event\nid: 1\n\n"
        #expect(events(text) == [event("first event", id: "1")])
    }

    @Test func `an id stays until another comes, and an empty one takes it away`() {
        let text = "data: a\nid: 1\n\ndata: b\n\nid\ndata: c\n\n"
        #expect(events(text) == [event("a", id: "1"), event("b", id: "1"), event("c", id: "")])
    }

    @Test func `only one space behind the colon goes, and a carriage return at the end`() {
        #expect(events("\u{FEFF}event:added\r\ndata:  two\r\n\r\n") == [event(" two", name: "added")])
    }

    @Test func `what is not ended by an empty line was not sent`() {
        #expect(events("data: half").isEmpty)
    }

    @Test func `an id counts only once its event is complete, so that a broken connection repeats it`() {
        var parser = EventStreamParser()
        for line in ["id: 7", "data: a", ""] { _ = parser.take(Array(line.utf8)) }
        for line in ["id: 8", "data: half"] { _ = parser.take(Array(line.utf8)) }
        parser.restart()
        #expect(parser.lastEventID == "7")
        #expect(parser.take(Array("data: b".utf8)) == nil)
        #expect(parser.take([]) == event("b", id: "7"))
    }
}
