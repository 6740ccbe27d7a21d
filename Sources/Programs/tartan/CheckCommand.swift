// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import NodeClient

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the leases against each other and, of a daemon, against its node's kernel.",
        discussion: "Exit code 1 says that something is wrong. What the kernel has is as of the daemon's last pass.")

    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    /// What was found.
    struct Report: Encodable {
        var revision: String
        var leases: Int
        var faults: [LeaseFault]
    }

    func run() async throws {
        let source = try options.source()
        let list = try await source.leases()
        var faults = LeaseFault.among(list.items, network: try await source.network())
        if source is DaemonSource { faults += Self.faults(of: try await options.client().dataplane()) }
        let report = Report(revision: list.revision, leases: list.items.count, faults: faults)
        try form.output.show(report) { Self.text(of: report, colour: Terminal.hasColour) }
        if !faults.isEmpty { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    /// What the daemon's node has against its kernel.
    static func faults(of dataplane: DataplaneDocument) -> [LeaseFault] {
        var faults = dataplane.faults.map {
            LeaseFault(subnet: $0.subnet, node: $0.node, fault: "it is not programmed: \($0.reason)")
        }
        faults += dataplane.refused.map { LeaseFault(subnet: "-", node: nil, fault: "the kernel refused \($0)") }
        if let problem = dataplane.problem { faults.append(LeaseFault(subnet: "-", node: nil, fault: problem)) }
        if dataplane.present != dataplane.wanted, faults.isEmpty {
            let count = "\(dataplane.present) of \(dataplane.wanted) entries are in the kernel"
            faults.append(LeaseFault(subnet: "-", node: nil, fault: count))
        }
        return faults
    }

    static func text(of report: Report, colour: Bool) -> String {
        let head = "\(report.leases) leases at revision \(report.revision): "
        guard !report.faults.isEmpty else { return head + "nothing wrong.\n" }
        var table = TextTable(["SUBNET", "NODE", "FAULT"])
        for fault in report.faults {
            table.append([
                TextTable.Cell(fault.subnet, style: .cyan), TextTable.Cell(fault.node),
                TextTable.Cell(fault.fault, style: .red),
            ])
        }
        return head + "\(report.faults.count) fault\(report.faults.count == 1 ? "" : "s").\n\n"
            + table.text(colour: colour)
    }
}
