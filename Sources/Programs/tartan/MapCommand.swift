// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import NodeClient

struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Draws the network as a grid of subnets, each in its node's colour.",
        discussion: "The daemon has the same as a page for browsers, at /.")

    @Flag(name: .shortAndLong, help: "Go on with what changes until Ctrl-C.")
    var watch = false
    @Flag(help: "Marks alone; so it is where the output is no terminal, and with NO_COLOR.")
    var noColor = false
    @OptionGroup var options: SourceOptions

    private var hasColour: Bool { !noColor && Terminal.hasColour }

    func run() async throws {
        let source = try options.source()
        guard watch else {
            try await Terminal.out(draw(source.leases().items, of: source.network()))
            return
        }
        let leases = WatchedLeases()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await notice in source.watch() { await leases.take(notice) }
            }
            group.addTask {
                var network: NetworkDocument?
                // However many changes there are, no eye follows more than some pictures a second.
                while true {
                    if let news = await leases.news() {
                        do {
                            network = try await source.network()
                        } catch {
                            // Who told of the leases before has been lost since; the watch says so.
                            guard network != nil else { throw error }
                        }
                        if let network { try show(draw(news.items, of: network), trouble: news.trouble) }
                    }
                    try await Task.sleep(for: .milliseconds(250))
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func draw(_ leases: [LeaseDocument], of network: NetworkDocument) throws -> String {
        guard let map = NetworkMap(network, leases: leases) else {
            let reason = network.problem ?? "the config has no IPv4 network, and no other is drawn here"
            throw ProgramError(.configuration, "there is no network to draw: \(reason)")
        }
        return map.text(width: Terminal.width ?? 80, colour: hasColour)
    }

    /// On a terminal the new picture takes the place of the one before.
    private func show(_ picture: String, trouble: String?) throws {
        let start = Terminal.width == nil ? "" : "\u{1B}[H\u{1B}[2J"
        try Terminal.out(start + picture + (trouble.map { "\($0)\n" } ?? "") + (start.isEmpty ? "\n" : ""))
    }
}

/// The leases as a watch has told of them, and whether they have changed since somebody looked.
actor WatchedLeases {
    private var leases: [String: LeaseDocument] = [:]
    private var trouble: String?
    private var isNew = false

    func take(_ notice: LeaseWatchNotice) {
        isNew = true
        var said: String?
        switch notice {
        case .snapshot(let list):
            leases = Dictionary(list.items.map { ($0.key, $0) }) { _, last in last }
        case .added(let lease, _), .updated(let lease, _): leases[lease.key] = lease
        case .removed(let lease, _): leases[lease.key] = nil
        case .interrupted(let error): said = "\(error); trying again"
        }
        trouble = said
    }

    /// `nil` where nothing has happened since the last call.
    func news() -> (items: [LeaseDocument], trouble: String?)? {
        guard isNew else { return nil }
        isNew = false
        return (Array(leases.values), trouble)
    }
}
