// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Etcd
import EtcdStore
import Leases

/// The network config, field by field or from a file.
struct NetworkConfigOptions: ParsableArguments {
    @Option(help: "The cluster's network, such as 10.244.0.0/16.")
    var network: String?
    @Option(help: "The prefix length of a node's subnet. (default: 24)")
    var subnetLen: Int?
    @Option(help: "The first subnet that is given out. (default: the network's second)")
    var subnetMin: String?
    @Option(help: "The last subnet that is given out. (default: the network's last)")
    var subnetMax: String?
    @Option(help: "vxlan, host-gw or alloc. (default: vxlan)")
    var backend: String?
    @Option(help: "The VXLAN network identifier. (default: 1)")
    var vni: Int?
    @Option(help: "VXLAN's UDP port. (default: 8472)")
    var port: Int?
    @Option(help: "The VXLAN device's MTU. (default: the underlay's less 50)")
    var mtu: Int?
    @Option(help: "Whether peers on the same layer-2 network are routed to without VXLAN. (default: false)")
    var directRouting: Bool?
    @Option(name: .shortAndLong, help: "A file with the whole config in flannel's JSON, - for standard input.")
    var file: String?

    func validate() throws {
        let hasField =
            [network, subnetMin, subnetMax, backend].contains { $0 != nil }
            || [subnetLen, vni, port, mtu].contains { $0 != nil } || directRouting != nil
        guard hasField || file != nil else {
            throw ValidationError("say what the network is to be, with --network or --file")
        }
        if hasField, file != nil { throw ValidationError("give --file or single fields, not both") }
    }

    /// The config that is wanted: the file's, or `current` with the given fields changed and all others as they are.
    func config(changing current: JSONTree) throws -> JSONTree {
        if let file { return try Self.read(file) }
        var config = current
        func text(_ value: String?) -> JSONTree? { value.map { .string($0) } }
        func number(_ value: Int?) -> JSONTree? { value.map { .word(String($0)) } }
        let fields = [
            ("Network", text(network)), ("SubnetLen", number(subnetLen)), ("SubnetMin", text(subnetMin)),
            ("SubnetMax", text(subnetMax)),
        ]
        for (name, value) in fields { if let value { config[name] = value } }
        let backendFields = [
            ("Type", text(backend)), ("VNI", number(vni)), ("Port", number(port)), ("MTU", number(mtu)),
            ("DirectRouting", directRouting.map { JSONTree.word(String($0)) }),
        ]
        var backend = config["Backend"] ?? .object([.init(name: "Type", value: .string("vxlan"))])
        for (name, value) in backendFields { if let value { backend[name] = value } }
        config["Backend"] = backend
        return config
    }

    /// Checks a config by the rules that every node will apply.
    static func check(_ config: JSONTree) throws -> NetworkConfig {
        try NetworkConfig(try NetworkConfigFields(json: Array(config.json(pretty: false).utf8)))
    }

    private static func read(_ file: String) throws -> JSONTree {
        let bytes = try InputFile.read(file)
        do {
            return try JSONTree(parsing: bytes)
        } catch {
            throw ProgramError(
                .configuration, "\(file == "-" ? "standard input" : file) is not JSON: \(error)")
        }
    }
}
