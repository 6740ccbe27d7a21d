// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import IPAddressing

struct LookupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup", abstract: "Tells whose an address is, and the way there from the daemon's node.")

    @Argument(help: "An address such as 10.244.20.7.")
    var ip: String
    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    func validate() throws {
        do {
            _ = try IPAddress(parsing: ip)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let lookup = try await options.source().lookup(ip)
        try form.output.show(lookup) { Self.text(of: lookup, colour: Terminal.hasColour) }
        if lookup.lease == nil || lookup.problem != nil { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    /// The steps of a packet, one a line.
    static func text(of lookup: LookupDocument, colour: Bool) -> String {
        var fields: [(String, String?)] = [("Address", lookup.ip)]
        if let lease = lookup.lease {
            let node = lease.node ?? lease.publicIP
            fields.append(("Lease", "\(lease.subnet) of \(node)\(lease.local ? ", this node" : "")"))
        } else {
            fields.append(("Lease", lookup.inNetwork ? "nobody's" : "outside the cluster's network"))
        }
        if let path = lookup.path {
            if path.kind == .local {
                fields.append(("Route", "\(path.route), on this node"))
            } else {
                let via = path.via.map { " via \($0)" } ?? ""
                fields.append(("Route", "\(path.route)\(via)\(path.device.map { " dev \($0)" } ?? "")"))
            }
            if let mac = path.vtepMAC {
                fields.append(("Neighbor", "\(path.via ?? "-") at \(mac)"))
                fields.append(("FDB", "\(mac) at \(path.underlay ?? "-")"))
            }
            if let underlay = path.underlay { fields.append(("Underlay", "to \(underlay)")) }
        }
        if let problem = lookup.problem { fields.append(("Problem", problem)) }
        return FieldList.text(fields, colour: colour)
    }
}
