// SPDX-License-Identifier: Apache-2.0

/// What the program tells its caller, in the numbers of sysexits.h where they have one.
enum ExitStatus: Int32, Hashable, Sendable {
    case success = 0
    /// The answer is no: what was asked for does not exist, or is not as the caller thinks.
    case refused = 1
    case usage = 64
    case unavailable = 69
    case bug = 70
    case notPermitted = 77
    case configuration = 78
}
