// SPDX-License-Identifier: Apache-2.0

import Glibc
import Netlink

/// The step from this program to another one inside a network namespace.
package enum NamespaceEntry {
    /// Puts this process into the namespace and replaces it by the command, so that signals, terminal, descriptors and
    /// exit status are the command's own. Call it on the first thread, before there is another: the command inherits
    /// the calling thread's signal mask.
    ///
    /// - Parameter dropsSettings: whether the command shall not see the variables that set Tartan's options, which are
    ///   meant for the programs outside.
    package static func become(
        _ command: [String], in namespace: String, dropsSettings: Bool = false
    ) throws -> Never {
        try NetworkNamespace(name: namespace).enter()
        if dropsSettings { dropVariables() }
        var arguments = unsafe command.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        if let program = unsafe arguments[0] { _ = unsafe execvp(program, arguments) }
        let number = errno
        throw CommandNotStarted(command: command.first ?? "", number: number)
    }

    private static func dropVariables() {
        for name in variableNames where name.hasPrefix("TARTAN_") && name != "TARTAN_ETCD" { unsafe unsetenv(name) }
    }

    private static var variableNames: [String] {
        var names: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            names.append(String(unsafe String(cString: entry).prefix { $0 != "=" }))
            unsafe next += 1
        }
        return names
    }
}

/// The command can't be run; the shell's exit statuses for that.
package struct CommandNotStarted: Error, Hashable, Sendable, CustomStringConvertible {
    package let command: String
    package let number: Int32

    package var exitStatus: Int32 { number == ENOENT ? 127 : 126 }
    package var description: String { "cannot run '\(command)': \(unsafe String(cString: strerror(number)))" }
}
