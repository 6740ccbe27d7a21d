// SPDX-License-Identifier: Apache-2.0

import APISchema
import NodeClient

/// Leases as a table for people.
enum LeaseTableText {
    static func list(_ leases: [LeaseDocument], colour: Bool) -> String {
        guard !leases.isEmpty else { return "No leases.\n" }
        let hasIPv6 = leases.contains { $0.ipv6Subnet != nil }
        let headings = ["SUBNET"] + (hasIPv6 ? ["IPV6 SUBNET"] : []) + columns
        var table = TextTable(headings)
        for lease in leases { table.append(cells(of: lease, hasIPv6: hasIPv6)) }
        return table.text(colour: colour)
    }

    private static let columns = ["NODE", "PUBLIC IP", "BACKEND", "VTEP MAC", "KIND", "OWNER", "NOTE"]

    private static func cells(of lease: LeaseDocument, hasIPv6: Bool) -> [TextTable.Cell] {
        let backend = lease.backend.vni.map { "\(lease.backend.type)/\($0)" } ?? lease.backend.type
        let ipv6 = hasIPv6 ? [TextTable.Cell(lease.ipv6Subnet)] : []
        return [TextTable.Cell(lease.subnet, style: lease.local ? .green : .cyan)] + ipv6 + [
            TextTable.Cell(lease.node), TextTable.Cell(lease.publicIP), TextTable.Cell(backend),
            TextTable.Cell(lease.backend.vtepMAC),
            TextTable.Cell(lease.kind.rawValue, style: lease.kind == .reservation ? .yellow : nil),
            TextTable.Cell(lease.owner),
            TextTable.Cell(lease.local ? "this node" : ""),
        ]
    }

    /// A table that grows: what was there, then what changes.
    struct Changes {
        private let colour: Bool
        private var table = TextTable(["EVENT", "SUBNET"] + columns, widths: [8, 18, 12, 15, 9, 17, 11, 7])
        private var isBegun = false

        init(colour: Bool) { self.colour = colour }

        mutating func lines(for notice: LeaseWatchNotice) -> String {
            switch notice {
            case .snapshot(let list):
                let head = isBegun ? "" : table.text(colour: colour)
                isBegun = true
                return head + list.items.map { line("present", nil, $0) }.joined()
            case .added(let lease, _): return line("added", .green, lease)
            case .updated(let lease, _): return line("updated", .yellow, lease)
            case .removed(let lease, _): return line("removed", .red, lease)
            case .interrupted: return ""
            }
        }

        private func line(_ event: String, _ style: TextStyle?, _ lease: LeaseDocument) -> String {
            table.line(
                [TextTable.Cell(event, style: style)] + LeaseTableText.cells(of: lease, hasIPv6: false), colour: colour)
        }
    }
}
