// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing
import Leases

/// The cluster's network as a grid: each cell a subnet, or several where there are more than fit.
///
/// The grid begins with the network's first address, so that a row starts at a round one, also where the range that
/// is given out does not.
struct NetworkMap {
    /// What is of a subnet.
    private enum Cell: Hashable {
        case outside
        case free
        case leased(node: String)
        case reserved
        case own
    }

    private static let rowLimit = 64

    private let network: IPv4Prefix
    private let subnetLength: Int
    private let cells: [Cell]
    private let summary: String

    /// `nil` where the document has no network.
    init?(_ document: NetworkDocument, leases: [LeaseDocument]) {
        guard let config = document.config, let range = document.range,
            let network = try? IPv4Prefix(parsing: config.network), let first = try? IPv4Prefix(parsing: range.first),
            let last = try? IPv4Prefix(parsing: range.last), range.subnetLength - Int(network.length) <= 24
        else { return nil }
        self.network = network
        subnetLength = range.subnetLength
        let shift = UInt32(32 - range.subnetLength)
        func place(_ address: IPv4Address) -> Int { Int((address.bits - network.address.bits) >> shift) }
        var cells = [Cell](repeating: .outside, count: 1 << (range.subnetLength - Int(network.length)))
        for index in place(first.address)...place(last.address) { cells[index] = .free }
        for lease in leases {
            guard let subnet = try? IPv4Prefix(parsing: lease.subnet), subnet.overlaps(network) else { continue }
            let low = max(subnet.address, network.address)
            let high = min(subnet.last, network.last)
            let cell: Cell =
                lease.local
                ? .own : lease.kind == .reservation ? .reserved : .leased(node: lease.node ?? lease.publicIP)
            for index in place(low)...place(high) { cells[index] = cell }
        }
        self.cells = cells
        summary = "\(document.used) leased, \(document.reserved) reserved, \(document.free) free"
    }

    /// - Parameter width: of the terminal, in columns.
    func text(width: Int, colour: Bool) -> String {
        let labelWidth = "\(network.last)".count + 2
        var columns = 64
        while columns > 8, columns + labelWidth > width { columns /= 2 }
        var each = 1
        while cells.count / each > columns * Self.rowLimit { each *= 2 }
        var text = ""
        for row in stride(from: 0, to: cells.count, by: columns * each) {
            let address = IPv4Address(bits: network.address.bits + UInt32(row) << UInt32(32 - subnetLength))
            let label = "\(address)"
            text += label + String(repeating: " ", count: labelWidth - label.count)
            for start in stride(from: row, to: min(row + columns * each, cells.count), by: each) {
                text += mark(of: cells[start..<min(start + each, cells.count)], colour: colour)
            }
            text += "\n"
        }
        return text + "\n" + legend(each: each, colour: colour)
    }

    private func legend(each: Int, colour: Bool) -> String {
        let marks: [(Cell, String)] = [
            (.free, "free"), (.leased(node: ""), "leased"), (.reserved, "reserved"), (.own, "this node"),
        ]
        let parts = marks.map { cell, name in mark(of: [cell], colour: colour) + " " + name }
        let size = each == 1 ? "a /\(subnetLength)" : "\(each) subnets of /\(subnetLength)"
        return "\(network): \(summary). Each mark is \(size).\n\(parts.joined(separator: "   "))\n"
    }

    /// One mark for some cells: the most telling of what is in them.
    private func mark(of cells: ArraySlice<Cell>, colour: Bool) -> String {
        if cells.contains(.own) { return colour ? TextStyle.bold("◆") : "@" }
        if let node = cells.lazy.compactMap({ if case .leased(let node) = $0 { node } else { nil } }).first {
            return colour ? Self.style(of: node)("■") : "#"
        }
        if cells.contains(.reserved) { return colour ? TextStyle.yellow("▣") : "R" }
        if cells.contains(.free) { return colour ? TextStyle.dim("·") : "." }
        return " "
    }

    /// A node keeps its colour from call to call.
    private static func style(of node: String) -> TextStyle {
        let styles: [TextStyle] = [.green, .blue, .magenta, .cyan, .red]
        return node.isEmpty ? .green : styles[Int(NodeID(node).hash64 % UInt64(styles.count))]
    }
}
