// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Etcd
import EtcdStore
import Leases

struct NetworkInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes the network config where there is none yet.")

    @OptionGroup var fields: NetworkConfigOptions
    @OptionGroup(title: "etcd") var etcd: EtcdOptions

    func run() async throws {
        let wanted = try fields.config(changing: .object([]))
        let config = try NetworkConfigOptions.check(wanted)
        let source = try etcd.source()
        let key = source.keys.config
        let response = try await source.client.transact(
            Transaction(
                when: [.init(key, .createRevision(0))],
                then: [.put(key: key, value: Array(wanted.json(pretty: false).utf8), lease: 0)],
                else: [.range(RangeRequest(KeyRange(key: key)))]))
        guard response.succeeded else {
            let there = response.ranges.first?.keyValues.first.map { String(decoding: $0.value, as: UTF8.self) } ?? ""
            throw ProgramError(
                .refused, "\(key) exists already and says \(there); change it with 'tartan network set'")
        }
        try Terminal.out("\(key): \(config.summary).\n")
    }
}

struct NetworkSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes the network config.",
        discussion:
            "Fields that are not given stay as they are. Nodes whose subnet the new config does not give out move.")

    @OptionGroup var fields: NetworkConfigOptions
    @OptionGroup(title: "etcd") var etcd: EtcdOptions

    func run() async throws {
        let source = try etcd.source()
        let key = source.keys.config
        let found = try await source.client.range(RangeRequest(KeyRange(key: key)))
        guard let current = found.keyValues.first else {
            throw ProgramError(.refused, "there is no \(key) yet; write it with 'tartan network init'")
        }
        let wanted = try fields.config(changing: try Self.tree(current, file: fields.file, key: key))
        let config = try NetworkConfigOptions.check(wanted)
        let outside = try await source.snapshot().table.leases.count { !config.admits($0.key) }
        let response = try await source.client.transact(
            Transaction(
                when: [.init(key, .modRevision(current.modRevision))],
                then: [.put(key: key, value: Array(wanted.json(pretty: false).utf8), lease: 0)]))
        guard response.succeeded else {
            throw ProgramError(.refused, "\(key) was written by somebody else meanwhile; look at it and try again")
        }
        try Terminal.out("\(key): \(config.summary).\n")
        if outside > 0 {
            Terminal.complain("\(outside) leases are not of the new config; their nodes must move")
        }
    }

    /// What stands there now; where it is to be replaced as a whole it need not be JSON.
    private static func tree(_ current: KeyValue, file: String?, key: String) throws -> JSONTree {
        if case .object(let members)? = try? JSONTree(parsing: current.value) { return .object(members) }
        if file != nil { return .object([]) }
        throw ProgramError(.configuration, "\(key) holds no JSON object now; replace it as a whole with --file")
    }
}
