// SPDX-License-Identifier: Apache-2.0

/// What happened, in words, where somebody wants to read it.
final class Journal {
    private let isKept: Bool
    private(set) var lines: [String] = []

    init(isKept: Bool) { self.isKept = isKept }

    func say(_ now: Ticks, _ text: @autoclosure () -> String) {
        guard isKept else { return }
        let milliseconds = String(now / 1_000 % 1_000)
        let padding = String(repeating: "0", count: 3 - milliseconds.count)
        lines.append("\(now / 1_000_000).\(padding)\(milliseconds) \(text())")
    }
}
