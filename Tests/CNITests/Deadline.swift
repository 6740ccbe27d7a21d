// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Waiting for what happens by itself.
enum Deadline {
    /// Whether the condition came true in time.
    static func reached(_ seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            if try condition() { return true }
            usleep(10_000)
        }
        return try condition()
    }
}
