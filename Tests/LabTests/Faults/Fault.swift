// SPDX-License-Identifier: Apache-2.0

/// A moment of the machine's monotonic clock, in milliseconds since its start: what the daemons' logs count in too.
enum Moment {
    static var now: Int64 { Int64(ContinuousClock().systemEpoch.duration(to: .now) / .milliseconds(1)) }
}

/// One thing that goes wrong for a while.
struct Fault: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, CaseIterable, Hashable, Sendable {
        case memberKilled = "kill -9 of a member"
        case memberHalted = "SIGSTOP of a member"
        case twoKilled = "kill -9 of two members"
        case twoHalted = "SIGSTOP of two members"
        case allKilled = "kill -9 of all, beyond the TTL"
        case allHalted = "SIGSTOP of all, beyond the TTL"
        case memberCut = "member cut off from everybody"
        case memberCutFromPeers = "member cut off from its peers only"
        case restored = "etcd restored from a snapshot"
        case keyDeleted = "lease's key deleted by hand"
        case nodeCut = "node cut off"
        case nodeCutLong = "node cut off beyond the TTL"
        case nodeCutFromEtcd = "node cut off from etcd"
        case nodeCutFromEtcdLong = "node cut off from etcd beyond the TTL"
        case daemonKilled = "kill -9 of a daemon"
        case daemonHalted = "SIGSTOP of a daemon beyond the TTL"
        case compacted = "compaction while a node is cut off"
        case takenOver = "subnet taken by another while its node is cut off"

        /// What it needs for itself: of two at once one is etcd's and one a node's.
        enum Place { case etcd, node, both }

        var place: Place {
            switch self {
            case .memberKilled, .memberHalted, .twoKilled, .twoHalted, .allKilled, .allHalted, .memberCut,
                .memberCutFromPeers, .restored, .keyDeleted:
                .etcd
            case .nodeCut, .nodeCutLong, .nodeCutFromEtcd, .nodeCutFromEtcdLong, .daemonKilled, .daemonHalted: .node
            case .compacted, .takenOver: .both
            }
        }

        /// How long it lasts, in seconds.
        func span(ttl: Double) -> ClosedRange<Double> {
            switch self {
            case .allKilled, .allHalted, .nodeCutLong, .nodeCutFromEtcdLong, .daemonHalted: ttl + 1.5...ttl + 4
            case .memberHalted, .twoHalted, .memberCut, .memberCutFromPeers: 4...8
            case .memberKilled, .twoKilled, .nodeCut, .nodeCutFromEtcd, .compacted: 2...5
            case .restored, .keyDeleted, .daemonKilled: 0.1...2
            case .takenOver: 0...0
            }
        }
    }

    let kind: Kind
    /// Numbers of etcd's members that it hits.
    let members: [Int]
    /// The number of the node that it hits; 0 where it hits none.
    let node: Int
    let seconds: Double

    var description: String {
        let who = (members.map { "etcd\($0)" } + (node > 0 ? ["node\(node)"] : [])).joined(separator: ", ")
        return "\(kind.rawValue) (\(who)) for \((seconds * 10).rounded() / 10) s"
    }
}
