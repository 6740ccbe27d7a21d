// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser

struct NetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Shows and writes the cluster's network config.",
        subcommands: [NetworkShowCommand.self, NetworkInitCommand.self, NetworkSetCommand.self])
}

struct NetworkShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the network, the range of subnets, and how full it is.")

    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    func run() async throws {
        let network = try await options.source().network()
        try form.output.show(network) { Self.text(of: network, colour: Terminal.hasColour) }
        if let problem = network.problem, network.config == nil {
            throw ProgramError(.configuration, problem)
        }
    }

    static func text(of network: NetworkDocument, colour: Bool) -> String {
        var fields: [(String, String?)] = []
        if let config = network.config {
            let backend = config.backend
            if config.enableIPv4 != false {
                fields += [("Network", config.network), ("Subnets", "/\(config.subnetLength)")]
            }
            if let range = network.range { fields.append(("Range", "\(range.first) to \(range.last)")) }
            if let range = network.ipv6Range {
                fields += [("IPv6 network", config.ipv6Network), ("IPv6 range", "\(range.first) to \(range.last)")]
            }
            let details = [backend.vni.map { "VNI \($0)" }, backend.port.map { "UDP \($0)" }].compactMap(\.self)
            let parts = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
            fields.append(("Backend", backend.type + parts))
            fields += [
                ("Used", "\(network.used)"), ("Reserved", "\(network.reserved)"), ("Free", "\(network.free)"),
            ]
        }
        if let problem = network.problem { fields.append(("Problem", problem)) }
        fields.append(("Revision", network.revision))
        return FieldList.text(fields, colour: colour)
    }
}
