// SPDX-License-Identifier: Apache-2.0

/// Pauses between tries: each twice the one before up to a limit, and each somewhere in the upper half of that, so
/// that clients which failed together do not come back together.
package struct Backoff: Hashable, Sendable {
    package let first: Duration
    package let limit: Duration
    private var tries = 0

    package init(first: Duration = .milliseconds(100), limit: Duration = .seconds(10)) {
        self.first = first
        self.limit = limit
    }

    package mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let full = min(limit, first * (1 << min(tries, 16)))
        tries += 1
        return full * Double.random(in: 0.5...1, using: &random)
    }

    package mutating func reset() { tries = 0 }
}
