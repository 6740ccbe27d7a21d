// SPDX-License-Identifier: Apache-2.0

/// Requests being put together for one `send`.
///
/// The kernel works through all of them in order, whatever becomes of one, and always answers a failure; success it
/// is asked to confirm for the last one only. When that answer is in, whatever failed has been told, and the rest was
/// done: one result a request, at the price of one answer a batch.
package struct NetlinkBatch: ~Copyable {
    var builder = MessageBuilder(capacity: NetlinkBatch.byteLimit + 4096)
    /// For each message, the place of the item that it was made of.
    private(set) var owners: [Int] = []
    private var lastStart = 0
    var item = 0
    /// The first message's number; the others count on.
    private(set) var firstSequence: UInt32 = 1

    /// Far from the sender's limit (SO_SNDBUF), and more in one `send` is no faster.
    static let byteLimit = 64 << 10

    var isEmpty: Bool { owners.isEmpty }

    /// The last message's number.
    var lastSequence: UInt32 { firstSequence &+ UInt32(truncatingIfNeeded: owners.count) &- 1 }

    package mutating func add<Object: NetlinkObject>(
        _ verb: MessageType.Verb, _ object: Object, _ flags: MessageFlags = []
    ) {
        lastStart = builder.count
        builder.message(
            type: Object.messageType(verb), flags: flags.union(.request),
            sequence: firstSequence &+ UInt32(truncatingIfNeeded: owners.count)
        ) { object.put(into: &$0) }
        owners.append(item)
    }

    /// Forgets the requests; the next ones have other numbers than these.
    mutating func reset(firstSequence: UInt32) {
        builder.removeAll()
        owners.removeAll(keepingCapacity: true)
        self.firstSequence = firstSequence
        lastStart = 0
    }

    mutating func askForEnd() {
        guard !isEmpty else { return }
        builder.addFlags(.acknowledge, toMessageAt: lastStart)
    }

    /// The place of the item whose message has that number.
    func owner(of sequence: UInt32) -> Int? {
        let index = Int(sequence &- firstSequence)
        return index < owners.count ? owners[index] : nil
    }
}

/// An item of a batch that the kernel refused.
package struct BatchFailure: Hashable, Sendable {
    /// Its place among the items.
    package let index: Int
    package let error: NetlinkError
}
