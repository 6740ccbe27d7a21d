// SPDX-License-Identifier: Apache-2.0

/// Requests and answers over one socket, one exchange at a time on the caller's thread: the kernel does the work
/// inside `send`.
///
/// Answers are told apart by sequence number: what was left over of an exchange that failed is skipped.
///
/// Sendable unchecked: the memory belongs to this value alone, and there is never a second one of it.
@safe package struct RouteConnection: ~Copyable, @unchecked Sendable {
    let socket: NetlinkSocket
    private var batch = NetlinkBatch()
    private var request = MessageBuilder()
    private let buffer: UnsafeMutableRawBufferPointer
    private var nextSequence: UInt32 = 1
    /// How often `send` was called: what tests count.
    package private(set) var sendCount = 0

    /// The kernel writes at most 32 KiB of a dump at once, and an answer holds at most the request.
    private static let bufferSize = 128 << 10
    /// What an answer takes of the receive buffer at the very most, in bytes, the kernel's own bookkeeping included.
    private static let answerSize = 2048
    private static let dumpAttempts = 10

    /// A connection to the namespace of the calling thread.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket()
        unsafe buffer = .allocate(byteCount: Self.bufferSize, alignment: 8)
    }

    /// What notifications of its changes bear.
    var portID: UInt32 { socket.portID }

    deinit { unsafe buffer.deallocate() }

    /// Writes requests for every item and sends them, as many at once as is good; returns those that failed, in
    /// order. No item keeps another from being done.
    package mutating func apply<Item>(
        _ items: [Item], _ encode: (Item, inout NetlinkBatch) -> Void
    ) -> [BatchFailure] {
        let countLimit = max(1, socket.receiveCapacity / Self.answerSize)
        var failures: [BatchFailure] = []
        batch.reset(firstSequence: nextSequence)
        for (index, item) in items.enumerated() {
            batch.item = index
            encode(item, &batch)
            if batch.builder.count >= NetlinkBatch.byteLimit || batch.owners.count >= countLimit {
                flush(&failures)
            }
        }
        flush(&failures)
        return failures
    }

    /// One request without an answer but success.
    package mutating func perform<Object: NetlinkObject>(
        _ verb: MessageType.Verb, _ object: Object, _ flags: MessageFlags = []
    ) throws(NetlinkError) {
        let failures = apply([object]) { $1.add(verb, $0, flags) }
        if let failure = failures.first { throw failure.error.about(object.description) }
    }

    /// The one object that a request without dump asks for.
    package mutating func get<Object: NetlinkObject>(_ object: Object) throws(NetlinkError) -> Object {
        let sequence = takeSequence()
        request.removeAll()
        request.message(
            type: Object.messageType(.get), flags: [.request, .acknowledge], sequence: sequence
        ) { object.put(into: &$0) }
        sendCount += 1
        try socket.send(request.bytes)
        var found: Object?
        var refusal: Answer?
        var isDone = false
        while !isDone {
            try receive { message in
                guard message.sequence == sequence else { return }
                if let answer = Answer(message) {
                    if answer.number != nil { refusal = answer }
                    isDone = true
                } else if message.type == Object.messageType(.new) {
                    found = Object(message) ?? found
                }
            }
        }
        if let refusal, let number = refusal.number {
            throw NetlinkError(operand: object.description, cause: .refused(number, text: refusal.text))
        }
        guard let found else { throw NetlinkError(operand: object.description, cause: .malformed) }
        return found
    }

    /// Everything that the filter lets through, as one moment's table: read again where it changed meanwhile.
    package mutating func dump<Object: NetlinkObject>(_ filter: Object) throws(NetlinkError) -> [Object] {
        try dump(filter, into: []) { $0.append($1) }
    }

    /// The same, each object given to the body as it is read, so that a table need not be held as messages.
    package mutating func dump<Object: NetlinkObject, Result>(
        _ filter: Object, into initial: Result, _ body: (inout Result, Object) -> Void
    ) throws(NetlinkError) -> Result {
        for _ in 0..<Self.dumpAttempts {
            var result = initial
            if try dumpOnce(filter, { body(&result, $0) }) { return result }
        }
        throw NetlinkError(operand: "list of \(filter)", cause: .unsteady)
    }

    /// `false`: the table changed while it was read.
    private mutating func dumpOnce<Object: NetlinkObject>(
        _ filter: Object, _ body: (Object) -> Void
    ) throws(NetlinkError) -> Bool {
        let sequence = takeSequence()
        request.removeAll()
        request.message(
            type: Object.messageType(.get), flags: [.request, .dump], sequence: sequence
        ) { filter.putFilter(into: &$0) }
        sendCount += 1
        try socket.send(request.bytes)
        var isSteady = true
        var isDone = false
        var refusal: NetlinkError.Cause?
        while !isDone {
            try receive { message in
                guard message.sequence == sequence else { return }
                if message.flags.contains(.dumpInterrupted) { isSteady = false }
                if message.type == .done {
                    isDone = true
                    if let number = Answer.endOfDump(message) { refusal = .refused(number, text: nil) }
                } else if let answer = Answer(message) {
                    isDone = true
                    refusal = answer.number.map { .refused($0, text: answer.text) }
                } else if message.type == Object.messageType(.new), let object = Object(message) {
                    body(object)
                }
            }
        }
        if let refusal { throw NetlinkError(operand: "list of \(filter)", cause: refusal) }
        return isSteady
    }

    private mutating func flush(_ failures: inout [BatchFailure]) {
        guard !batch.isEmpty else { return }
        batch.askForEnd()
        nextSequence = batch.lastSequence &+ 1
        var answered = 0
        do {
            sendCount += 1
            try socket.send(batch.builder.bytes)
            try readAnswers(&failures, &answered)
        } catch {
            // Of what was not answered nobody knows what became of it.
            for owner in batch.owners.dropFirst(answered) { failures.append(BatchFailure(index: owner, error: error)) }
        }
        batch.reset(firstSequence: nextSequence)
    }

    private mutating func readAnswers(
        _ failures: inout [BatchFailure], _ answered: inout Int
    ) throws(NetlinkError) {
        let first = batch.firstSequence
        let last = batch.lastSequence
        let count = batch.owners.count
        var refused: [(sequence: UInt32, answer: Answer)] = []
        var isDone = false
        defer {
            for (sequence, answer) in refused {
                guard let owner = batch.owner(of: sequence), let number = answer.number else { continue }
                let error = NetlinkError(operand: "", cause: .refused(number, text: answer.text))
                failures.append(BatchFailure(index: owner, error: error))
                answered = Int(sequence &- first) + 1
            }
        }
        while !isDone {
            try receive { message in
                guard let answer = Answer(message), Int(message.sequence &- first) < count else { return }
                if answer.number != nil { refused.append((message.sequence, answer)) }
                if message.sequence == last { isDone = true }
            }
        }
    }

    private mutating func takeSequence() -> UInt32 {
        defer { nextSequence &+= 1 }
        return nextSequence
    }

    private borrowing func receive(_ body: (borrowing NetlinkMessage) -> Void) throws(NetlinkError) {
        let count = try unsafe socket.receive(into: buffer)
        let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        var reader = MessageReader(bytes)
        while let message = reader.next() { body(message) }
        guard !reader.isMalformed else { throw NetlinkError(operand: "netlink", cause: .malformed) }
    }
}
