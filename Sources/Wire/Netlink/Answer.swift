// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The kernel's word on a request (`struct nlmsgerr`): what is behind it are attributes, after the request itself
/// unless the answer is capped.
struct Answer: Hashable, Sendable {
    /// `nil`: success.
    let number: ErrorNumber?
    let text: String?

    init?(_ message: borrowing NetlinkMessage) {
        guard message.type == .error, let error = message.payload.load(Int32.self, at: 0) else { return nil }
        // Not 0 - error, which the smallest number has no room for.
        number = error == 0 ? nil : ErrorNumber(error == .min ? .max : -error)
        text = message.flags.contains(.answerAttributes) ? Self.text(in: message) : nil
    }

    private static func text(in message: borrowing NetlinkMessage) -> String? {
        var start = MemoryLayout<nlmsgerr>.size
        if !message.flags.contains(.capped) {
            guard let request = message.payload.load(nlmsghdr.self, at: MemoryLayout<Int32>.size),
                let length = Int(exactly: request.nlmsg_len), length <= message.payload.byteCount
            else { return nil }
            start = MemoryLayout<Int32>.size + aligned(length)
        }
        var attributes = AttributeReader(message.payload.part(from: start))
        while let attribute = attributes.next() {
            if attribute.type == AnswerAttribute.text { return attribute.text }
        }
        return nil
    }

    /// Ends a dump too, with the number in front (`NLMSG_DONE`).
    static func endOfDump(_ message: borrowing NetlinkMessage) -> ErrorNumber? {
        guard let error = message.payload.load(Int32.self, at: 0), error < 0 else { return nil }
        return ErrorNumber(error == .min ? .max : -error)
    }
}
