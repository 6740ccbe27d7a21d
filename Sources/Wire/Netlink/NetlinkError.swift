// SPDX-License-Identifier: Apache-2.0

/// Why the kernel did not do, or did not say, what it was asked for.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Cause: Hashable, Sendable {
        /// The kernel's answer, with its own text where it gave one (`NETLINK_EXT_ACK`).
        case refused(ErrorNumber, text: String?)
        /// A system call failed.
        case system(String, ErrorNumber)
        /// Answers or notifications were lost because nobody read them in time (ENOBUFS on receiving).
        case overrun
        /// The kernel did not answer.
        case unanswered
        /// Bytes that are no netlink messages.
        case malformed
        /// A table changed under every one of several attempts to read it (`NLM_F_DUMP_INTR`).
        case unsteady
    }

    /// What it was about, in the words of `ip`; empty where only the caller knows.
    package var operand: String
    package let cause: Cause

    package init(operand: String, cause: Cause) {
        self.operand = operand
        self.cause = cause
    }

    /// The error number, where there is one.
    package var number: ErrorNumber? {
        switch cause {
        case .refused(let number, _), .system(_, let number): number
        case .overrun, .unanswered, .malformed, .unsteady: nil
        }
    }

    package var description: String {
        let reason =
            switch cause {
            case .refused(let number, let text): text.map { "\(number) (kernel: \($0))" } ?? number.description
            case .system(let call, let number): "\(call): \(number)"
            case .overrun: "the kernel's answers came faster than they were read, and some are lost"
            case .unanswered: "the kernel did not answer"
            case .malformed: "the kernel's answer can't be read"
            case .unsteady: "the table changed each time it was read"
            }
        return operand.isEmpty ? reason : "\(operand): \(reason)"
    }

    func about(_ operand: @autoclosure () -> String) -> Self {
        self.operand.isEmpty ? Self(operand: operand(), cause: cause) : self
    }
}
