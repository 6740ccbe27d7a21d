// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FoundationEssentials
import Glibc
import Netlink

/// A pod: a namespace, wired to its node by the CNI plugin as a container runtime has it done, with the configuration
/// that the node's daemon wrote.
///
/// The node's addresses are kept in the lab's folder, where a real node has `/var/lib/cni/networks`.
struct LabPod: Sendable {
    let name: String
    /// Its namespace, and the ID that it is known to the plugin by.
    let namespace: String
    let node: LabDescription.Node
    /// The plugin's path.
    let plugin: String

    /// Makes the namespace and has the plugin do its part (ADD); returns the pod's addresses, IPv4's first.
    func add() async throws -> [String] {
        let folder = Self.folder(of: node)
        let configuration = try Self.configuration(of: node)
        let answer = try await Self.apart {
            try NetworkNamespace.create(name: namespace)
            return try run("ADD", configuration)
        }
        let result = try? JSONDecoder().decode(Answer.self, from: answer.output)
        let addresses = (result?.ips ?? []).map { String($0.address.prefix { $0 != "/" }) }
        guard answer.status == 0, !addresses.isEmpty else {
            throw LabFault(.failed, "\(name) has no network: \(result?.msg ?? "see \(folder)/log")")
        }
        return addresses.filter { !$0.contains(":") } + addresses.filter { $0.contains(":") }
    }

    /// Has the plugin take its part back (DEL). The namespace is the lab's to remove.
    func delete() async throws {
        let configuration = try Self.configuration(of: node)
        let answer = try await Self.apart { try run("DEL", configuration) }
        guard answer.status != 0 else { return }
        let message = (try? JSONDecoder().decode(Answer.self, from: answer.output))?.msg
        throw LabFault(.failed, "the network of \(name) can't be taken back: \(message ?? "tartan-cni said nothing")")
    }

    /// A result, or an error.
    private struct Answer: Decodable {
        struct Address: Decodable { let address: String }
        let ips: [Address]?
        let msg: String?
    }

    private static func folder(of node: LabDescription.Node) -> String {
        String(node.conflist.prefix(upTo: node.conflist.lastIndex(of: "/") ?? node.conflist.startIndex))
    }

    /// What libcni makes of a configuration list for its first plugin, with the node's own folder of addresses.
    private static func configuration(of node: LabDescription.Node) throws -> Data {
        struct List: Decodable {
            struct Plugin: Decodable { let type: String, subnetFile: String, hairpinMode: Bool?, ipMasq: Bool? }
            let name: String, plugins: [Plugin]
        }
        struct Configuration: Encodable {
            let cniVersion = "1.1.0"
            let name: String, type: String, subnetFile: String, hairpinMode: Bool?, ipMasq: Bool?
            let ipam: [String: String]
        }
        let list = try JSONDecoder().decode(List.self, from: try Data(contentsOf: URL(filePath: node.conflist)))
        guard let plugin = list.plugins.first else { throw LabFault(.failed, "\(node.conflist) names no plugin") }
        return try JSONEncoder().encode(
            Configuration(
                name: list.name, type: plugin.type, subnetFile: plugin.subnetFile, hairpinMode: plugin.hairpinMode,
                ipMasq: plugin.ipMasq, ipam: ["dataDir": "\(folder(of: node))/networks"]))
    }

    /// Waits for a body that waits for the kernel and for the plugin, on a thread that may.
    private static func apart<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    /// Runs the plugin in the node's namespace to its end. What it says goes to files in the node's folder: the result
    /// is there to be looked at.
    private func run(_ command: String, _ configuration: Data) throws -> (status: Int32, output: Data) {
        let folder = Self.folder(of: node)
        let input = "\(folder)/\(name).json"
        let output = "\(folder)/\(name).\(command.lowercased())"
        try configuration.write(to: URL(filePath: input))
        let environment = [
            "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(namespace)", "CNI_IFNAME=eth0",
            "CNI_NETNS=\(NetworkNamespace.directory)/\(namespace)",
            "CNI_PATH=\(plugin.prefix(upTo: plugin.lastIndex(of: "/") ?? plugin.startIndex))",
        ]
        let program = plugin
        let status = try NetworkNamespace(name: node.namespace).run { () throws(NetlinkError) -> Int32 in
            Self.run(program, environment, input: input, output: output, errors: "\(folder)/log")
        }
        return (status, (try? Data(contentsOf: URL(filePath: output))) ?? Data())
    }

    /// Its exit status, 128 and the signal that ended it, or 127 where it can't be started.
    private static func run(
        _ program: String, _ environment: [String], input: String, output: String, errors: String
    ) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        var words: [UnsafeMutablePointer<CChar>?] = unsafe [strdup(program)]
        var variables = unsafe environment.map { unsafe strdup($0) }
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        unsafe words.append(nil)
        unsafe variables.append(nil)
        var child = pid_t()
        guard unsafe posix_spawn(&child, program, &actions, nil, words, variables) == 0 else { return 127 }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}
