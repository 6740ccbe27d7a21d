// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser

struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Draws the network as a grid of subnets, each in its node's colour.")

    @OptionGroup var options: SourceOptions

    func run() async throws {
        let source = try options.source()
        let network = try await source.network()
        guard let map = NetworkMap(network, leases: try await source.leases().items) else {
            throw ProgramError(
                .configuration, "there is no network to draw: \(network.problem ?? "the config says nothing of it")")
        }
        try Terminal.out(map.text(width: Terminal.width ?? 80, colour: Terminal.hasColour))
    }
}
