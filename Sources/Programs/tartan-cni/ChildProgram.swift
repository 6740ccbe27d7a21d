// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Another program, run to its end with a text on its standard input; what it says on standard error goes where ours
/// does.
struct ChildProgram {
    let path: String
    let arguments: [String]
    /// `NAME=VALUE`.
    var environment: [String] = Self.inheritedEnvironment

    struct Outcome {
        /// Its exit status, or 128 and the signal that ended it.
        let status: Int32
        let output: [UInt8]
    }

    /// The first of that name in the folders that may be executed.
    init?(_ name: String, in folders: [String], arguments: [String] = []) {
        let candidates: [String] = folders.map { "\($0)/\(name)" }
        let found = candidates.first { unsafe access($0, X_OK) == 0 }
        guard let found else { return nil }
        path = found
        self.arguments = arguments
    }

    private static var inheritedEnvironment: [String] {
        var variables: [String] = []
        var index = 0
        while let text = unsafe environ[index] {
            variables.append(unsafe String(cString: text))
            index += 1
        }
        return variables
    }

    mutating func set(_ name: String, _ value: String) {
        environment.removeAll { $0.hasPrefix("\(name)=") }
        environment.append("\(name)=\(value)")
    }

    /// The input is handed over before the output is read: a program that talks before it has listened would wait for
    /// us as we for it. Plugins and `nft -f -` listen first.
    func run(_ input: [UInt8]) throws(PluginError) -> Outcome {
        let (inputRead, inputWrite) = try Self.pipe()
        let (outputRead, outputWrite) = try Self.pipe()
        defer { close(outputRead) }
        let child = spawn(inputRead, outputWrite)
        close(inputRead)
        close(outputWrite)
        guard let child else {
            close(inputWrite)
            throw Disk.failure(path, "can't be started")
        }
        // Who does not listen says so by its status.
        _ = Disk.write(input, to: inputWrite)
        close(inputWrite)
        let output: Result<[UInt8], PluginError>
        do throws(PluginError) {
            output = .success(try Disk.read(outputRead, path))
        } catch {
            output = .failure(error)
        }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return Outcome(status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: try output.get())
    }

    private static func pipe() throws(PluginError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw Disk.failure("a pipe", "can't be made") }
        // There is no other thread that could start a program in between.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Its number; `nil` with `errno` set where it can't be started.
    private func spawn(_ input: Int32, _ output: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
        var variables = unsafe environment.map { unsafe strdup($0) }
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        unsafe words.append(nil)
        unsafe variables.append(nil)
        var child = pid_t()
        let status = unsafe posix_spawn(&child, path, &actions, nil, words, variables)
        guard status == 0 else {
            errno = status
            return nil
        }
        return child
    }
}
