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

    /// The steps of a packet, one a line, each with what is wrong with it.
    static func text(of lookup: LookupDocument, colour: Bool) -> String {
        func styled(_ text: String, _ style: TextStyle) -> String { colour ? style(text) : text }
        var text = "\(lookup.ip)\n"
        if lookup.lease == nil {
            text += "  \(lookup.inNetwork ? "nobody's" : "outside the cluster's network")\n"
        }
        let steps = lookup.steps
        let width = steps.map { title($0.step).count }.max() ?? 0
        for step in steps {
            let mark = step.problem == nil ? styled("ok", .green) : styled("WRONG", .red)
            let padding = String(repeating: " ", count: width - title(step.step).count + 2)
            let isLooked = step.present != "not looked at"
            text +=
                "  \(title(step.step))\(padding)\(step.wanted)  \(isLooked ? mark : styled("not looked at", .dim))\n"
            if let problem = step.problem {
                text += String(repeating: " ", count: width + 4) + styled(problem, .red) + "\n"
            }
        }
        if lookup.lease != nil, lookup.path == nil, steps.count <= 1, lookup.problem == nil {
            text += "  The way there is a daemon's to tell; ask one with --server.\n"
        }
        let isTold = steps.contains { $0.problem == lookup.problem }
        if let problem = lookup.problem, !isTold { text += "  " + styled(problem, .red) + "\n" }
        return text
    }

    private static func title(_ step: PathStepDocument.Name) -> String {
        switch step {
        case .lease: "Lease"
        case .host: "Host"
        case .route: "Route"
        case .nextHop: "Next hop"
        case .neighbor: "Neighbor"
        case .fdb: "FDB"
        case .underlay: "Underlay"
        }
    }
}
