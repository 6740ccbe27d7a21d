// SPDX-License-Identifier: Apache-2.0

/// Pauses between tries to open a stream: none before the first, then growing and uneven, so that clients which lost
/// one server together do not come back together.
struct RetryPause {
    private var tries = 0

    /// The longest that the next pause can be; it is at least half of that.
    var longest: Duration { tries == 0 ? .zero : .milliseconds(min(5_000, 50 << min(tries, 10))) }

    /// A stream that lived that long has ended; a short one counts as another try that failed.
    mutating func ended(after life: Duration) {
        if life >= .seconds(5) { tries = min(tries, 1) }
    }

    mutating func wait(endpoint: String) async throws(EtcdError) {
        let longest = longest
        tries += 1
        guard longest > .zero else { return }
        do {
            try await Task.sleep(for: longest * Double.random(in: 0.5...1))
        } catch {
            throw EtcdError(.cancelled, endpoint: endpoint)
        }
    }
}
