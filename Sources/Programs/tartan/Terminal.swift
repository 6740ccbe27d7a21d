// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the program writes to.
enum Terminal {
    static func out(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// A line on stderr that says who speaks.
    static func complain(_ sentence: String) {
        let line = sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
        write("tartan: \(line)\n", to: STDERR_FILENO)
    }

    /// A line on stderr about what takes long.
    static func progress(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Whether stdout takes colour: a terminal that can, and nobody said no (no-color.org).
    static var hasColour: Bool {
        guard isatty(STDOUT_FILENO) == 1 else { return false }
        return environment("NO_COLOR")?.isEmpty ?? true && environment("TERM") != "dumb"
    }

    /// Columns of the terminal; `nil` where stdout is none.
    static var width: Int? {
        var size = winsize()
        let answer = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        return answer == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    }

    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
