// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import IPAddressing
import Leases

/// What the node remembers of itself over a restart, in a file of its own under `--state-dir`.
///
/// It is named after the node, so that several daemons on one machine, or one that was given another name, do not take
/// each other's memory for their own.
struct NodeMemory {
    struct Content: Codable, Hashable {
        var node: String
        var mac: String?
        /// As in the lease's key: `10.244.20.0-24`.
        var subnet: String?
    }

    let file: AtomicFile
    let node: NodeID

    init(directory: String, node: NodeID) {
        let name = node.name.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain || "-_.".utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
        }.joined()
        file = AtomicFile("\(directory)/node-\(name).json")
        self.node = node
    }

    /// What was noted; nothing where there is no file, or one that says nothing sensible: it is only a memory.
    func read() -> (mac: MACAddress?, subnet: SubnetKey?) {
        guard let text = file.contents(),
            let content = try? JSONDecoder().decode(Content.self, from: Data(text.utf8)), content.node == node.name
        else { return (nil, nil) }
        return (
            content.mac.flatMap { try? MACAddress(parsing: $0) },
            content.subnet.flatMap { try? SubnetKey(parsing: $0) }
        )
    }

    func write(mac: MACAddress?, subnet: SubnetKey?) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let content = Content(node: node.name, mac: mac?.description, subnet: subnet?.description)
        try file.replace(with: String(decoding: try encoder.encode(content), as: UTF8.self) + "\n")
    }
}
