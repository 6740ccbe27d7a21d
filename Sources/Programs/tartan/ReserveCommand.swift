// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import IPAddressing
import Leases

struct ReserveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reserve", abstract: "Keeps a subnet for a node for good.")

    @OptionGroup var subnet: SubnetArgument
    @Option(help: "Whom it is for, as its --node-name says.")
    var node: String
    @Option(help: "That node's address on the underlay.")
    var publicIp: String
    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    func validate() throws {
        do {
            _ = try IPv4Address(parsing: publicIp)
        } catch {
            throw ValidationError("--public-ip \(error)")
        }
        if node.isEmpty { throw ValidationError("--node must not be empty") }
    }

    func run() async throws {
        let lease = try await options.source().reserve(
            subnet.key, for: ReservationRequestDocument(node: node, publicIP: publicIp))
        try form.output.show(lease) { "\(lease.subnet) is kept for \(node).\n" }
    }
}

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Gives a lease or a reservation back.")

    @OptionGroup var subnet: SubnetArgument
    @OptionGroup var options: SourceOptions

    func run() async throws {
        let source = try options.source()
        let key = try subnet.key
        guard let lease = try await source.lease(key) else {
            throw ProgramError(.refused, "nobody holds \(key.text); 'tartan leases' lists what is held")
        }
        try await source.release(lease)
        try Terminal.out("\(lease.subnet) is free.\n")
    }
}
