// SPDX-License-Identifier: Apache-2.0

import Glibc
package import JSONText
package import Netlink

/// A plugin as the container runtime starts it: in the host's namespace, the configuration on standard input.
package struct PluginProcess: Sendable {
    package let number: Int32
    private let output: Int32
    private let errors: Int32
    private let start: ContinuousClock.Instant

    package struct Outcome: Sendable {
        /// Its exit status, or 128 and the signal that ended it.
        package let status: Int32
        package let output: [UInt8]
        package let errors: String
        /// From the start to the end.
        package let duration: Duration

        /// What it said, where that is JSON.
        package var json: JSONValue? { try? JSONValue(parsing: output) }

        /// The number of the error that it reports.
        package var code: Int? {
            guard case .number(let digits)? = json?["code"] else { return nil }
            return Int(digits)
        }

        package var message: String {
            guard case .string(let text)? = json?["msg"] else { return "" }
            return text
        }
    }

    /// Starts the program in the namespace of that name, or in ours.
    package init(
        _ path: String, _ arguments: [String] = [], in namespace: String?, environment: [String: String] = [:],
        input: [UInt8] = []
    ) throws(NetlinkError) {
        let program = Program(path: path, arguments: arguments, environment: environment, input: input)
        if let namespace {
            self = try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in try program.start() }
        } else {
            self = try program.start()
        }
    }

    package func kill() { Glibc.kill(number, SIGKILL) }

    /// Waits for its end.
    package func wait() -> Outcome {
        let bytes = Self.contents(of: output)
        let text = String(decoding: Self.contents(of: errors), as: UTF8.self)
        var status: Int32 = 0
        while unsafe waitpid(number, &status, 0) < 0, errno == EINTR {}
        let duration = start.duration(to: .now)
        let signal = status & 0x7F
        return Outcome(
            status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: bytes, errors: text, duration: duration)
    }

    private static func contents(of file: Int32) -> [UInt8] {
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(file, &chunk, chunk.count)
            if count > 0 { bytes += chunk[..<count] } else if count == 0 || errno != EINTR { return bytes }
        }
    }

    private struct Program: Sendable {
        let path: String
        let arguments: [String]
        let environment: [String: String]
        let input: [UInt8]

        func start() throws(NetlinkError) -> PluginProcess {
            let (inputRead, inputWrite) = try Self.pipe()
            let (outputRead, outputWrite) = try Self.pipe()
            let (errorsRead, errorsWrite) = try Self.pipe()
            defer {
                for end in [inputRead, inputWrite, outputWrite, errorsWrite] { close(end) }
            }
            let start = ContinuousClock.now
            let number = try spawn([inputRead, outputWrite, errorsWrite])
            // Configurations are far smaller than what a pipe holds.
            _ = unsafe write(inputWrite, input, input.count)
            return PluginProcess(number: number, output: outputRead, errors: errorsRead, start: start)
        }

        /// Not pipe(2): these ends are closed in what another thread starts in between.
        private static func pipe() throws(NetlinkError) -> (read: Int32, write: Int32) {
            var ends: [Int32] = [-1, -1]
            guard
                unsafe Glibc.socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
                    == 0
            else { throw NetlinkError(operand: "socketpair", cause: .system("socketpair", ErrorNumber(errno))) }
            return (ends[0], ends[1])
        }

        private func spawn(_ ends: [Int32]) throws(NetlinkError) -> Int32 {
            var actions = unsafe posix_spawn_file_actions_t()
            unsafe posix_spawn_file_actions_init(&actions)
            defer { unsafe posix_spawn_file_actions_destroy(&actions) }
            for (number, end) in ends.enumerated() {
                unsafe posix_spawn_file_actions_adddup2(&actions, end, Int32(number))
            }
            var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
            var variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") }
            defer {
                for index in unsafe words.indices { unsafe free(words[index]) }
                for index in unsafe variables.indices { unsafe free(variables[index]) }
            }
            unsafe words.append(nil)
            unsafe variables.append(nil)
            var child = pid_t()
            let status = unsafe posix_spawn(&child, path, &actions, nil, words, variables)
            guard status == 0 else {
                throw NetlinkError(operand: path, cause: .system("posix_spawn", ErrorNumber(status)))
            }
            return child
        }
    }

    private init(number: Int32, output: Int32, errors: Int32, start: ContinuousClock.Instant) {
        self.number = number
        self.output = output
        self.errors = errors
        self.start = start
    }
}
