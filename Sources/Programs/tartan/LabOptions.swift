// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import IPAddressing
import Lab
import Leases

/// What the lab is to be.
struct LabOptions: ParsableArguments {
    @OptionGroup var lab: LabNameOptions
    @Option(help: "How many nodes.")
    var nodes = 2
    @Option(help: "How many pods on each node.")
    var pods = 2
    @Option(help: "The cluster's network.")
    var network = "10.244.0.0/16"
    @Flag(name: .customLong("ipv6"), help: "IPv6 beside IPv4, on the nodes' common network and for the pods.")
    var ipv6 = false
    @Flag(name: .customLong("ipv6-only"), help: "IPv6 in place of IPv4.")
    var ipv6Only = false
    @Option(help: "How long a lease lives without renewal, such as 90s. (default: the daemon's)")
    var leaseTtl: String?
    @Option(help: "The daemon to run. (default: beside this program, else in PATH)")
    var tartand: String?
    @Argument(parsing: .postTerminator, help: "Further options of every tartand.")
    var daemonOptions: [String] = []

    func settings() throws -> LabSettings {
        let prefix: IPv4Prefix
        do {
            prefix = try IPv4Prefix(parsing: network)
        } catch {
            throw ProgramError(.usage, "--network \(error)")
        }
        try check(prefix)
        var settings = try LabSettings(
            name: try lab.lab(), nodes: nodes, pods: pods, network: prefix, leaseTTL: leaseTtl,
            tools: try LabTools(tartan: LabTools.ownPath, tartand: tartand))
        settings.daemonOptions = daemonOptions
        if ipv6 { settings.families = .dual }
        if ipv6Only { settings.families = .ipv6 }
        return settings
    }

    /// By the rules that the nodes will apply, before anything is made.
    private func check(_ prefix: IPv4Prefix) throws(ProgramError) {
        var fields = NetworkConfigFields()
        fields.network = "\(prefix)"
        let config: NetworkConfig
        do {
            config = try NetworkConfig(fields)
        } catch {
            throw ProgramError(.usage, "--network \(error.reason)")
        }
        guard nodes <= config.subnetCount else {
            throw ProgramError(
                .usage,
                "--network \(prefix) has \(config.subnetCount) subnets, too few for \(nodes) nodes; give a wider one")
        }
    }

    /// The same as arguments again.
    func arguments(_ settings: LabSettings) -> [String] {
        var arguments = [
            "--name", "\(settings.name)", "--nodes", "\(nodes)", "--pods", "\(pods)", "--network", network, "--tartand",
            settings.tools.tartand,
        ]
        if ipv6 { arguments.append("--ipv6") }
        if ipv6Only { arguments.append("--ipv6-only") }
        if let leaseTtl { arguments += ["--lease-ttl", leaseTtl] }
        return daemonOptions.isEmpty ? arguments : arguments + ["--"] + daemonOptions
    }
}
