// SPDX-License-Identifier: Apache-2.0

import Leases
import Synchronization

/// The subnet file, which the reconciler writes once a subnet can be used, and the lease holder when it is lost.
///
/// Invariant: a subnet that was lost is never promised again before it is this node's again, in whatever order the two
/// come.
final class SubnetPublication: Sendable {
    private let file: AtomicFile
    private let lost = Mutex<SubnetKey?>(nil)

    init(_ path: String) { file = AtomicFile(path) }

    /// What the file says now.
    var text: String? { file.contents() }

    func publish(_ content: SubnetFile) throws {
        try lost.withLock { lost in
            var content = content
            content.isLeaseLost =
                lost.map { content.hasIPv4 ? content.subnet == $0.subnet : content.ipv6Subnet == $0.ipv6Subnet }
                ?? false
            try file.replace(with: content.text)
        }
    }

    /// Says that a subnet is not this node's any more, where the file names it, also from an earlier run.
    func forfeit(_ key: SubnetKey) throws {
        try lost.withLock { lost in
            lost = key
            guard let text = file.contents().flatMap({ SubnetFile.forfeiting(key, in: $0) }) else { return }
            try file.replace(with: text)
        }
    }

    /// The subnet is this node's, and may be published.
    func regain(_ key: SubnetKey) {
        lost.withLock { lost in if lost == key { lost = nil } }
    }
}
