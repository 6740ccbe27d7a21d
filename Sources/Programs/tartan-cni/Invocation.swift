// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the runtime says in environment variables (the specification's "Parameters").
///
/// Invariant: what the command needs is there and has the form that the specification demands; what it does not need
/// may be empty.
struct Invocation {
    let command: Command
    let containerID: String
    /// The path of the container's network namespace; empty where it is not known.
    let namespace: String
    /// The interface in the container.
    let interface: String
    let arguments: ExtraArguments
    /// Folders with plugins.
    let path: [String]

    init(environment: (String) -> String? = Self.variable) throws(PluginError) {
        guard let name = environment("CNI_COMMAND"), !name.isEmpty else {
            throw PluginError(
                .badEnvironment,
                "CNI_COMMAND is not set; a container runtime starts this program, with one of \(Self.commands)")
        }
        guard let command = Command(rawValue: name) else {
            throw PluginError(.badEnvironment, "CNI_COMMAND=\(name) is not one of \(Self.commands)")
        }
        self.command = command
        containerID = environment("CNI_CONTAINERID") ?? ""
        namespace = environment("CNI_NETNS") ?? ""
        interface = environment("CNI_IFNAME") ?? ""
        path = (environment("CNI_PATH") ?? "").split(separator: ":").map(String.init)
        arguments = try ExtraArguments(parsing: command.hasAttachment ? environment("CNI_ARGS") ?? "" : "")
        try checkAttachment()
    }

    private static var commands: String { Command.allCases.map(\.rawValue).joined(separator: ", ") }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    private func checkAttachment() throws(PluginError) {
        guard command.hasAttachment else { return }
        guard Self.isIdentifier(containerID) else {
            throw PluginError(
                .badEnvironment,
                "CNI_CONTAINERID='\(containerID)' must begin with a letter or digit and consist of letters, digits, "
                    + "'_', '.' and '-'")
        }
        guard Self.isInterfaceName(interface) else {
            throw PluginError(
                .badEnvironment,
                "CNI_IFNAME='\(interface)' must be the name of an interface: at most 15 bytes, no '/', ':' or space")
        }
        guard !namespace.isEmpty || !command.needsNamespace else {
            throw PluginError(
                .badEnvironment, "CNI_NETNS is not set; \(command.rawValue) needs the container's network namespace")
        }
    }

    /// The form of a container ID and of a network's name.
    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    static func isInterfaceName(_ text: String) -> Bool {
        guard (1...15).contains(text.utf8.count), text != ".", text != ".." else { return false }
        return !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || isSpace($0) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
