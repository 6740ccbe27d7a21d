// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import EtcdStore
import Leases
import NodeClient

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the leases against each other and, of a daemon, against its node's kernel.",
        discussion: """
            Exit code 1 says that something is wrong. What the kernel has is as of the daemon's last pass.

            A daemon mends its kernel by itself and no lease is taken from a node from here, so --repair changes nothing: \
            it says of each fault what the daemon does about it and what is left for you to do.

            --plan prints what would change in this host's kernel as ip and bridge commands, and changes nothing. With a \
            daemon these are the entries that it has not been able to put right; with --etcd-endpoints the whole way \
            from what is there to what the leases say, for a host where no daemon runs.
            """)

    @Flag(help: "Say of each fault who mends it and how.")
    var repair = false
    @Flag(help: "Print what would change in the kernel, as ip and bridge commands, and change nothing.")
    var plan = false
    @OptionGroup var host: HostPlanOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    /// What was found.
    struct Report: Encodable {
        var revision: String
        var leases: Int
        var faults: [LeaseFault]
        /// What the daemon says of its host; those of severity fault count as faults.
        var findings: [DataplaneDocument.Finding]

        var isSound: Bool { faults.isEmpty && !findings.contains { $0.severity == "fault" } }
    }

    func run() async throws {
        if plan { return try await showPlan() }
        let source = try options.source()
        let list = try await source.leases()
        let network = try await source.network()
        var report = Report(
            revision: list.revision, leases: list.items.count, faults: LeaseFault.among(list.items, network: network),
            findings: [])
        if let problem = network.problem { report.faults.append(Self.fault(ofConfig: problem)) }
        if source is DaemonSource {
            let dataplane = try await options.client().dataplane(peers: "none")
            report.faults += Self.faults(of: dataplane)
            report.findings = dataplane.findings
        }
        try form.output.show(report) { Self.text(of: report, repair: repair, colour: Terminal.hasColour) }
        if !report.isSound { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    private func showPlan() async throws {
        var lines: [String]
        if options.etcd.etcdEndpoints == nil {
            let dataplane = try await options.client().dataplane(peers: "none")
            lines = (dataplane.problem.map { ["# \($0)"] } ?? []) + dataplane.plan
        } else {
            let source = try options.etcd.source()
            let (table, config) = try await source.snapshot()
            guard case .valid(let config) = config else {
                throw ProgramError(.configuration, config.problem(at: source.keys.config) ?? "there is no config")
            }
            lines = try await host.plan().lines(table, config)
        }
        try form.output.show(lines) {
            (lines.isEmpty ? ["# nothing would change"] : lines).map { $0 + "\n" }.joined()
        }
    }

    static func fault(ofConfig problem: String) -> LeaseFault {
        LeaseFault(fault: problem, remedy: "write a config that can be used with 'tartan network set' or 'init'")
    }

    /// What the daemon's node has against its kernel.
    static func faults(of dataplane: DataplaneDocument) -> [LeaseFault] {
        var faults = dataplane.faults.map {
            LeaseFault(
                subnet: $0.subnet, node: $0.node, fault: "it is not programmed: \($0.reason)",
                remedy:
                    "mend the lease, on its own node or with 'tartan release'; this daemon programs it as soon as it "
                    + "can be")
        }
        faults += dataplane.refused.map {
            LeaseFault(
                fault: "the kernel refused \($0)",
                remedy: "the daemon tries again by itself, at the latest every 30 s; remove what is in the way")
        }
        faults += dataplane.fights.map {
            LeaseFault(
                fault: "another program keeps changing \($0)",
                remedy:
                    "find it (NetworkManager, systemd-networkd, a second network plugin) and have it leave that alone")
        }
        if let problem = dataplane.problem {
            faults.append(
                LeaseFault(
                    fault: problem, remedy: "the daemon tries again by itself; its log says more if that does not help")
            )
        }
        if dataplane.present != dataplane.wanted, faults.isEmpty {
            faults.append(
                LeaseFault(
                    fault: "\(dataplane.present) of \(dataplane.wanted) entries are in the kernel",
                    remedy: "the daemon puts them there by itself; look again in a moment"))
        }
        return faults
    }

    static func text(of report: Report, repair: Bool = false, colour: Bool) -> String {
        let head = "\(report.leases) leases at revision \(report.revision): "
        let count = report.faults.count + report.findings.count { $0.severity == "fault" }
        var text = head + (count == 0 ? "nothing wrong.\n" : "\(count) fault\(count == 1 ? "" : "s").\n")
        if !report.faults.isEmpty {
            var table = TextTable(["SUBNET", "NODE", "FAULT"])
            for fault in report.faults {
                table.append([
                    TextTable.Cell(fault.subnet, style: .cyan), TextTable.Cell(fault.node),
                    TextTable.Cell(fault.fault, style: .red),
                ])
            }
            text += "\n" + table.text(colour: colour)
        }
        if !report.findings.isEmpty {
            var table = TextTable(["HOST CHECK", "SEVERITY", "FINDING"])
            for finding in report.findings {
                table.append([
                    TextTable.Cell(finding.check, style: .cyan),
                    TextTable.Cell(finding.severity, style: finding.severity == "fault" ? .red : .yellow),
                    TextTable.Cell("\(finding.what): \(finding.why)"),
                ])
            }
            text += "\n" + table.text(colour: colour)
        }
        let remedies =
            repair
            ? report.faults.map { ($0.subnet == "-" ? $0.fault : "\($0.subnet): \($0.fault)", $0.remedy) }
                + report.findings.map { ($0.what, $0.remedy) } : []
        if !remedies.isEmpty { text += "\nNothing was changed from here.\n" }
        for (what, remedy) in remedies { text += "- \(what)\n  \(remedy)\n" }
        return text
    }
}
