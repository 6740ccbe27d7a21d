// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import IPAddressing
import Leases

/// A lease named on the command line: `10.244.20.0/24`, or as in etcd `10.244.20.0-24`.
struct SubnetArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Such as 10.244.20.0/24.", valueName: "subnet"))
    var text: String

    func validate() throws { _ = try key }

    var key: SubnetKey {
        get throws {
            if let key = try? SubnetKey(parsing: text) { return key }
            if let subnet = try? IPv4Prefix(parsing: text) { return SubnetKey(subnet) }
            if let subnet = try? IPv6Prefix(parsing: text) { return SubnetKey(ipv6Subnet: subnet) }
            guard let (address, length) = try? IPv4Prefix.split(text, separator: "/"),
                let subnet = IPv4Prefix(address, length: length)
            else { throw ValidationError("'\(text)' is not a subnet such as 10.244.20.0/24") }
            throw ValidationError("'\(text)' is an address within the subnet \(subnet); give the subnet itself")
        }
    }
}

struct LeaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lease", abstract: "Shows one lease, and when it ends.")

    @OptionGroup var subnet: SubnetArgument
    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    func run() async throws {
        let key = try subnet.key
        guard let lease = try await options.source().lease(key) else {
            throw ProgramError(.refused, "nobody holds \(key.text); 'tartan leases' lists what is held")
        }
        try form.output.show(lease) { FieldList.text(of: lease, colour: Terminal.hasColour) }
    }
}

/// What belongs to one thing, a line a field.
enum FieldList {
    static func text(_ fields: [(String, String?)], colour: Bool) -> String {
        let width = fields.map(\.0.count).max() ?? 0
        return fields.map { name, value in
            let label = name + ":" + String(repeating: " ", count: width - name.count + 2)
            return (colour ? TextStyle.bold(label) : label) + (value ?? "-") + "\n"
        }.joined()
    }

    static func text(of lease: LeaseDocument, colour: Bool) -> String {
        let expiry =
            switch (lease.kind, lease.expiresAt, lease.ttl) {
            case (.reservation, _, _): "never"
            case (_, let date?, let ttl?): "\(date) (in \(ttl) s, unless renewed)"
            case (_, let date?, nil): date
            default: "unknown"
            }
        var fields: [(String, String?)] = [("Subnet", lease.subnet)]
        if let ipv6Subnet = lease.ipv6Subnet { fields.append(("IPv6 subnet", ipv6Subnet)) }
        fields += [("Node", lease.node), ("Public IP", lease.publicIP)]
        if let publicIPv6 = lease.publicIPv6 { fields.append(("Public IPv6", publicIPv6)) }
        fields += [("Backend", lease.backend.type)]
        if let vni = lease.backend.vni { fields.append(("VNI", "\(vni)")) }
        if let mac = lease.backend.vtepMAC { fields.append(("VTEP MAC", mac)) }
        fields += [
            ("Kind", lease.kind.rawValue), ("Owner", lease.owner), ("Expires", expiry),
            ("etcd lease", lease.etcdLease), ("Created at", "revision \(lease.createRevision)"),
            ("Written at", "revision \(lease.modRevision)"),
        ]
        if lease.local { fields.append(("Note", "this node's own")) }
        return text(fields, colour: colour)
    }
}
