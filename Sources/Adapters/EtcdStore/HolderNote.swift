// SPDX-License-Identifier: Apache-2.0

import JSONText
import Leases

/// The value of a key under `PREFIX/tartan/holders/`: who had the subnet last. When that was is the key's revision.
struct HolderNote: Hashable, Sendable {
    var node: NodeID?

    init(node: NodeID?) { self.node = node }

    /// A note that can't be read still says that the subnet was used.
    init(json bytes: [UInt8]) {
        var name: String?
        do throws(JSONError) {
            var json = JSONReader(bytes)
            try json.object { member, json throws(JSONError) in
                if member == "NodeName" { name = try json.string() } else { try json.skip() }
            }
        } catch {
            name = nil
        }
        node = name.flatMap { $0.isEmpty ? nil : NodeID($0) }
    }

    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in if let node { json.member("NodeName", node.name) } }
        return json.bytes
    }
}
