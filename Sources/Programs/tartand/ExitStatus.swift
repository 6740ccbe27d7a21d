// SPDX-License-Identifier: Apache-2.0

/// What the program tells its caller, in the numbers of sysexits.h.
enum ExitStatus: Int32, Hashable, Sendable {
    case success = 0
    case usage = 64
    case unavailable = 69
    case bug = 70
    case leaseLost = 75
    case notPermitted = 77
    case configuration = 78
}
