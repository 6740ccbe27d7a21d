// SPDX-License-Identifier: Apache-2.0

/// When files that changed are to be read again, from looks at them that are some time apart.
///
/// A change counts once two looks in a row show the same: a file that is being written, or a certificate whose key
/// comes a moment later, is left in peace. What could not be used is not tried again until it changes again.
struct ReloadSchedule<Mark: Equatable & Sendable>: Sendable {
    private var loaded: Mark
    private var seen: Mark
    private var refused: Mark?

    init(loaded mark: Mark) {
        loaded = mark
        seen = mark
    }

    /// Takes a look; `true` where the files are to be read now.
    mutating func isDue(_ mark: Mark) -> Bool {
        defer { seen = mark }
        guard mark != loaded else {
            refused = nil
            return false
        }
        return mark != refused && mark == seen
    }

    /// What was read is in use.
    mutating func succeeded(_ mark: Mark) {
        loaded = mark
        refused = nil
    }

    /// What was read can't be used; what was in use stays.
    mutating func failed(_ mark: Mark) { refused = mark }
}
