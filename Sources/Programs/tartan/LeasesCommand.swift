// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import NodeClient

struct LeasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leases", abstract: "Lists the leases of every node.")

    @Flag(name: .shortAndLong, help: "Go on with what changes until Ctrl-C.")
    var watch = false
    @OptionGroup var form: OutputOptions
    @OptionGroup var options: SourceOptions

    func run() async throws {
        let source = try options.source()
        guard watch else {
            let list = try await source.leases()
            try form.output.show(list) { LeaseTableText.list(list.items, colour: Terminal.hasColour) }
            return
        }
        Terminal.endWithReader()
        var text = LeaseTableText.Changes(colour: Terminal.hasColour)
        for try await notice in source.watch() {
            if form.output == .table {
                try Terminal.out(text.lines(for: notice))
            } else if let event = LeaseEventDocument(notice) {
                try form.output.show(next: event)
            }
            if case .interrupted(let error) = notice { Terminal.complain("\(error); trying again") }
        }
    }
}

/// A change as `--watch` prints it in JSON and YAML: the event stream's `event` and `data`, with its `id`.
struct LeaseEventDocument: Codable, Hashable, Sendable {
    var event: String
    var revision: String?
    /// Of a snapshot.
    var items: [LeaseDocument]?
    /// Of a change.
    var lease: LeaseDocument?

    init?(_ notice: LeaseWatchNotice) {
        switch notice {
        case .snapshot(let list): (event, revision, items) = ("snapshot", list.revision, list.items)
        case .added(let lease, let revision): (event, self.revision, self.lease) = ("added", revision, lease)
        case .updated(let lease, let revision): (event, self.revision, self.lease) = ("updated", revision, lease)
        case .removed(let lease, let revision): (event, self.revision, self.lease) = ("removed", revision, lease)
        case .interrupted: return nil
        }
    }
}
