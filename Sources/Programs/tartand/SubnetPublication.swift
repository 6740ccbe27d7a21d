// SPDX-License-Identifier: Apache-2.0

import Leases
import Synchronization

/// The subnet file, which the reconciler writes once a subnet can be used, and the lease holder when it is lost.
///
/// Invariant: a subnet that was lost is never promised again before it is this node's again, in whatever order the two
/// come.
final class SubnetPublication: Sendable {
    private let file: AtomicFile
    private let lost = Mutex<Set<SubnetKey>>([])

    init(_ path: String) { file = AtomicFile(path) }

    /// What the file says now.
    var text: String? { file.contents() }

    /// - Returns: whether the subnet is promised to pods; `false` where it was lost meanwhile, which the file then says.
    func publish(_ content: SubnetFile) throws -> Bool {
        try lost.withLock { lost in
            var content = content
            let key = SubnetKey(content.subnet, ipv6Subnet: content.ipv6Subnet)
            content.isLeaseLost = lost.contains { $0.overlaps(key) }
            try file.replace(with: content.text)
            return !content.isLeaseLost
        }
    }

    /// Says that a subnet is not this node's any more, where the file names it, also from an earlier run.
    func forfeit(_ key: SubnetKey) throws {
        try lost.withLock { lost in
            lost.insert(key)
            try mark(key)
        }
    }

    /// Says it again, where that failed; not of a subnet that is this node's again by now.
    func repeatLoss(of key: SubnetKey) throws {
        try lost.withLock { lost in if lost.contains(key) { try mark(key) } }
    }

    /// The subnet is this node's, and may be published; so may one of which only one half was lost.
    func regain(_ key: SubnetKey) {
        lost.withLock { lost in lost = lost.filter { !$0.overlaps(key) } }
    }

    private func mark(_ key: SubnetKey) throws {
        guard let text = file.contents().flatMap({ SubnetFile.forfeiting(key, in: $0) }) else { return }
        try file.replace(with: text)
    }
}
