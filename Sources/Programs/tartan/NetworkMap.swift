// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing

/// The cluster's network as a grid: each mark a subnet, or several where there are more than fit. The daemon's page
/// draws the same, in the same dyes and words.
///
/// The grid begins with the network's first address, so that a row starts at a round one, also where the range that
/// is given out does not.
struct NetworkMap {
    /// What is of a subnet, the least telling first: the most telling of what a mark stands for is shown.
    private enum Cell: Hashable {
        case outside
        case free
        case reserved
        case foreign
        case leased(dye: Int)
        case own

        var rank: Int {
            switch self {
            case .outside: 0
            case .free: 1
            case .reserved: 2
            case .foreign, .leased: 3
            case .own: 4
            }
        }
    }

    private static let rowLimit = 64

    private let network: IPv4Prefix
    private let subnetLength: Int
    /// Places of subnets, counted from the network's first.
    private let range: ClosedRange<Int>
    private let blocks: [(places: ClosedRange<Int>, cell: Cell)]
    private let use: String
    private let counts: (own: Int, leases: Int, foreign: Int, reserved: Int)
    private let free: Int

    /// `nil` where the document has no IPv4 network.
    init?(_ document: NetworkDocument, leases: [LeaseDocument]) {
        guard let config = document.config, let range = document.range,
            let network = try? IPv4Prefix(parsing: config.network), let first = try? IPv4Prefix(parsing: range.first),
            let last = try? IPv4Prefix(parsing: range.last), (Int(network.length)...32).contains(range.subnetLength)
        else { return nil }
        self.network = network
        subnetLength = range.subnetLength
        let shift = UInt32(32 - range.subnetLength)
        func place(_ address: IPv4Address) -> Int { Int((address.bits - network.address.bits) >> shift) }
        guard network.contains(first.address), network.contains(last.address), first.address <= last.address else {
            return nil
        }
        self.range = place(first.address)...place(last.address)
        var counts = (own: 0, leases: 0, foreign: 0, reserved: 0)
        blocks = leases.compactMap { lease in
            let cell = Self.cell(of: lease)
            switch cell {
            case .own: counts.own += 1
            case .reserved: counts.reserved += 1
            case .foreign: counts.foreign += 1
            default: counts.leases += 1
            }
            guard let subnet = try? IPv4Prefix(parsing: lease.subnet), subnet.overlaps(network) else { return nil }
            return (place(max(subnet.address, network.address))...place(min(subnet.last, network.last)), cell)
        }
        self.counts = counts
        free = document.free
        use = "\(document.used) leased, \(document.reserved) reserved, \(document.free) free"
    }

    private static func cell(of lease: LeaseDocument) -> Cell {
        if lease.local { return .own }
        if lease.kind == .reservation { return .reserved }
        guard lease.owner == "tartan" else { return .foreign }
        return .leased(dye: dye(of: lease.node ?? lease.publicIP))
    }

    /// A node keeps its dye from call to call, and has it on the daemon's page too (FNV-1a, 32 bits).
    static func dye(of node: String) -> Int {
        let hash = node.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return Int(hash % UInt32(TextStyle.dyes.count))
    }

    /// - Parameter width: of the terminal, in columns.
    func text(width: Int, colour: Bool) -> String {
        let labelWidth = "\(network.last)".count + 2
        let count = 1 << (subnetLength - Int(network.length))
        var columns = 64
        while columns > 8, columns + labelWidth > width { columns /= 2 }
        var each = 1
        while count / each > columns * Self.rowLimit { each *= 2 }
        let marks = marks(count: max(1, count / each), each: each)
        var text = ""
        for row in stride(from: 0, to: marks.count, by: columns) {
            let address = IPv4Address(
                bits: network.address.bits + UInt32(UInt64(row * each) << UInt64(32 - subnetLength)))
            let label = "\(address)"
            text += label + String(repeating: " ", count: labelWidth - label.count)
            text += marks[row..<min(row + columns, marks.count)].map { Self.mark(of: $0, colour: colour) }.joined()
            text += "\n"
        }
        return text + "\n" + legend(each: each, colour: colour)
    }

    private func marks(count: Int, each: Int) -> [Cell] {
        var marks = [Cell](repeating: .outside, count: count)
        for mark in (range.lowerBound / each)...(range.upperBound / each) { marks[mark] = .free }
        for (places, cell) in blocks {
            for mark in (places.lowerBound / each)...(places.upperBound / each) where cell.rank > marks[mark].rank {
                marks[mark] = cell
            }
        }
        return marks
    }

    private func legend(each: Int, colour: Bool) -> String {
        let dyed = (0..<3).map { Self.mark(of: .leased(dye: $0), colour: colour) }.joined()
        let rows = [
            (Self.mark(of: .own, colour: colour), "this node", counts.own),
            (colour ? dyed : Self.mark(of: .leased(dye: 0), colour: false), "lease, in its node's dye", counts.leases),
            (Self.mark(of: .foreign, colour: colour), "lease of flannel", counts.foreign),
            (Self.mark(of: .reserved, colour: colour), "reservation", counts.reserved),
            (Self.mark(of: .free, colour: colour), "free", free),
        ]
        let size = each == 1 ? "a /\(subnetLength)" : "\(each) subnets of /\(subnetLength)"
        let parts = rows.map { mark, name, count in "\(mark) \(name) \(count)" }
        return "\(network): \(use). Each mark is \(size).\n\(parts.joined(separator: "   "))\n"
    }

    private static func mark(of cell: Cell, colour: Bool) -> String {
        switch cell {
        case .outside: " "
        case .free: colour ? TextStyle.dim("·") : "."
        case .reserved: colour ? TextStyle.gold("▣") : "R"
        case .foreign: colour ? TextStyle.grey("▤") : "f"
        case .leased(let dye): colour ? TextStyle.dyes[dye]("■") : "#"
        case .own: colour ? TextStyle.bold("◆") : "@"
        }
    }
}
