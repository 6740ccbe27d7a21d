// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NodeAgent

/// The file that tells container runtimes of the pods' network: a CNI network configuration list of `tartan-cni`.
///
/// The network is called `cbr0` as in flannel's own file: by its name the addresses are kept
/// (`/var/lib/cni/networks/cbr0`), so that a node that changes plugins gives no running pod's address to another. A pod
/// may reach itself by a service's address (`hairpinMode`), as there. Masquerading is the daemon's.
///
/// Runtimes take the highest version that they know of `cniVersion` and, since 1.1.0, `cniVersions`; those before would
/// refuse a `cniVersion` of 1.1.0.
struct CNIConflist: Hashable, Sendable {
    let path: String
    /// The daemon's own, as the plugin needs it: from the root on.
    let subnetFile: String
    let chainsPortmap: Bool

    private struct List: Encodable {
        let cniVersion = "1.0.0"
        let cniVersions = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]
        let name = "cbr0"
        let plugins: [Plugin]
    }

    private struct Plugin: Encodable {
        let type: String
        var subnetFile: String?
        var hairpinMode: Bool?
        var ipMasq: Bool?
        /// What the runtime may ask for.
        let capabilities: [String: Bool]
    }

    init(path: String, subnetFile: String, chainsPortmap: Bool) {
        self.path = path
        let folder = FileManager.default.currentDirectoryPath
        self.subnetFile = subnetFile.hasPrefix("/") ? subnetFile : "\(folder)/\(subnetFile)"
        self.chainsPortmap = chainsPortmap
    }

    func text() throws -> String {
        var plugins = [
            Plugin(
                type: "tartan-cni", subnetFile: subnetFile, hairpinMode: true, ipMasq: false,
                capabilities: ["ips": true, "mac": true])
        ]
        if chainsPortmap { plugins.append(Plugin(type: "portmap", capabilities: ["portMappings": true])) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(List(plugins: plugins)), as: UTF8.self) + "\n"
    }

    /// Puts it in place unless it is there. The folder is the runtime's to make: where it is missing, what is written
    /// would be read by nobody.
    @Sendable func put() throws -> CNIAnnouncer.Outcome {
        let file = AtomicFile(path)
        let text = try text()
        let isThere = file.contents() == text
        if !isThere { try file.replace(with: text, makesFolder: false) }
        return CNIAnnouncer.Outcome(isWritten: !isThere, earlier: earlier())
    }

    /// What runtimes read before it: by name, byte by byte, of these kinds.
    private func earlier() -> [String] {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count == 1 ? "." : parts.dropLast().joined(separator: "/")
        let name = String(parts.last ?? "")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "/" : folder)) ?? []
        return names.filter { other in
            [".conf", ".conflist", ".json"].contains(where: other.hasSuffix)
                && other.utf8.lexicographicallyPrecedes(name.utf8)
        }.sorted().map { "\(folder)/\($0)" }
    }
}
