// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Glibc

/// Where the program writes to.
enum Terminal {
    static func out(_ text: String) throws { try write(text, to: STDOUT_FILENO) }

    /// A line on stderr that says who speaks.
    static func complain(_ sentence: String) {
        let line = sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
        // Where that fails there is nobody left to tell.
        try? write("tartan: \(line)\n", to: STDERR_FILENO)
    }

    /// A line on stderr about what takes long.
    static func progress(_ text: String) { try? write(text + "\n", to: STDERR_FILENO) }

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

    /// Ends the program, as SIGPIPE would, once nobody reads stdout any more: what only waits would not notice before it
    /// has something to say.
    static func endWithReader() {
        DispatchQueue.global().async {
            var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while true {
                let count = unsafe poll(&output, 1, -1)
                if count > 0, Int32(output.revents) & (POLLERR | POLLNVAL) != 0 { _exit(128 + SIGPIPE) }
                // A file, or a terminal that is gone, which SIGHUP says.
                if count >= 0 || errno != EINTR { return }
            }
        }
    }

    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// What can't be written must not look as if it were: a full disk is an error, and a reader that is gone ends the
    /// program as SIGPIPE would.
    static func write(_ text: String, to descriptor: Int32) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno != EPIPE else { throw ExitCode(128 + SIGPIPE) }
                guard errno == EINTR else {
                    throw ProgramError(
                        .unavailable, "the output can't be written: \(unsafe String(cString: strerror(errno)))")
                }
            }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
