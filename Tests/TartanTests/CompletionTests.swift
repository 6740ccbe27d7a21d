// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Testing

@testable import tartan

/// The completion scripts, in the shells that they are for.
@Suite struct CompletionTests {
    private static func has(_ shell: String) -> Bool {
        ["/bin", "/usr/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(shell)") }
    }

    /// What a shell says, given the script in `$1`.
    private func run(_ shell: String, _ kind: CompletionShell, _ command: String) throws -> String {
        // A home of its own: zsh and fish write into it.
        let home = FileManager.default.temporaryDirectory.appending(path: "tartan-completion-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: home) }
        let file = home.appending(path: "script")
        try Data(TartanCommand.completionScript(for: kind).utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [shell, "-c", command.replacing("FILE", with: file.path())]
        process.environment = [
            "PATH": "/usr/bin:/bin", "HOME": home.path(), "XDG_CONFIG_HOME": home.path(), "XDG_DATA_HOME": home.path(),
            "TERM": "dumb",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        return text
    }

    @Test(.enabled(if: has("bash"), "no bash in PATH"))
    func `bash completes commands and options`() throws {
        #expect(try run("bash", .bash, "bash -n FILE") == "")
        let commands = try run(
            "bash", .bash,
            """
            source FILE; COMP_WORDS=(tartan lea); COMP_CWORD=1; COMP_LINE='tartan lea'; COMP_POINT=10; COMP_TYPE=9
            _tartan tartan lea tartan; printf '%s\\n' "${COMPREPLY[@]}"
            """)
        #expect(commands.split(separator: "\n").map { $0.filter { $0 != " " } } == ["leases", "lease"])
    }

    @Test(.enabled(if: has("zsh"), "no zsh in PATH; Debian has it in the package zsh"))
    func `zsh takes its script`() throws {
        let said = try run(
            "zsh", .zsh, "zsh -n FILE && autoload -Uz compinit && compinit -u -D && source FILE && whence -w _tartan")
        #expect(said.contains("_tartan: function"))
    }

    @Test(.enabled(if: has("fish"), "no fish in PATH; Debian has it in the package fish"))
    func `fish completes commands and options`() throws {
        let said = try run("fish", .fish, "source FILE; complete -C 'tartan lea'; complete -C 'tartan leases --tok'")
        #expect(said.contains("leases\t") && said.contains("--token-file\t"), "\(said)")
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `each shell's script can be asked for`(shell: String) throws {
        _ = try TartanCommand.parseAsRoot(["completion", shell])
    }
}
