// SPDX-License-Identifier: Apache-2.0

import Leases

/// Draws faults, the same ones for the same seed: every kind once in a random order, then every kind again.
struct FaultSchedule {
    private var random: SplitMix64
    private let ttl: Double
    private var etcdKinds: [Fault.Kind] = []
    private var nodeKinds: [Fault.Kind] = []

    /// Nodes that nobody takes the subnet from: the ping runs between their pods.
    static let pinging = 1...2
    static let others = 3...5

    init(seed: UInt64, ttl: Double) {
        random = SplitMix64(seed: seed)
        self.ttl = ttl
    }

    /// The next fault, or two that overlap: the second begins so many seconds after the first.
    mutating func next() -> (first: Fault, second: Fault?, offset: Double) {
        if etcdKinds.isEmpty {
            etcdKinds = Fault.Kind.allCases.filter { $0.place != .node }.shuffled(using: &random)
        }
        if nodeKinds.isEmpty {
            nodeKinds = Fault.Kind.allCases.filter { $0.place == .node }.shuffled(using: &random)
        }
        let first = draw(etcdKinds.removeLast())
        // Three of four go together, or the nodes' kinds would last longer than etcd's.
        guard first.kind.place == .etcd, Int.random(in: 0..<4, using: &random) > 0 else { return (first, nil, 0) }
        let second = draw(nodeKinds.removeLast())
        return (first, second, Double.random(in: 0...2, using: &random))
    }

    private mutating func draw(_ kind: Fault.Kind) -> Fault {
        let count =
            switch kind {
            case .memberKilled, .memberHalted, .memberCut, .memberCutFromPeers: 1
            case .twoKilled, .twoHalted: 2
            case .allKilled, .allHalted, .restored: 3
            default: 0
            }
        let members = [1, 2, 3].shuffled(using: &random).prefix(count).sorted()
        let node =
            switch kind {
            case .restored, .takenOver, .compacted: Int.random(in: Self.others, using: &random)
            case _ where kind.place == .etcd && kind != .keyDeleted: 0
            default: Int.random(in: 1...5, using: &random)
            }
        return Fault(
            kind: kind, members: members, node: node,
            seconds: Double.random(in: kind.span(ttl: ttl), using: &random))
    }
}
