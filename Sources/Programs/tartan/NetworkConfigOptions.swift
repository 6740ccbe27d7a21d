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
    @Option(help: ArgumentHelp("The cluster's IPv6 network, such as fd00:10:244::/48.", valueName: "ipv6-network"))
    var ipv6Network: String?
    @Option(
        help: ArgumentHelp("The prefix length of a node's IPv6 subnet. (default: 64)", valueName: "ipv6-subnet-len"))
    var ipv6SubnetLen: Int?
    @Option(help: ArgumentHelp("Whether the network has IPv4. (default: true)", valueName: "enable-ipv4"))
    var enableIpv4: Bool?
    @Option(
        help: ArgumentHelp(
            "Whether the network has IPv6. (default: false, true with --ipv6-network)", valueName: "enable-ipv6"))
    var enableIpv6: Bool?
    @Option(help: "vxlan, host-gw or alloc. (default: vxlan)")
    var backend: String?
    @Option(help: "The VXLAN network identifier. (default: 1)")
    var vni: Int?
    @Option(help: "VXLAN's UDP port. (default: 8472)")
    var port: Int?
    @Option(help: "The outer packets' MTU, of which the device has 50 less, 70 for IPv6. (default: the underlay's)")
    var mtu: Int?
    @Option(help: "Whether peers on the same layer-2 network are routed to without VXLAN. (default: false)")
    var directRouting: Bool?
    @Option(name: .shortAndLong, help: "A file with the whole config in flannel's JSON, - for standard input.")
    var file: String?

    func validate() throws {
        let hasField =
            [network, subnetMin, subnetMax, ipv6Network, backend].contains { $0 != nil }
            || [subnetLen, ipv6SubnetLen, vni, port, mtu].contains { $0 != nil }
            || [directRouting, enableIpv4, enableIpv6].contains { $0 != nil }
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
        func word(_ value: Bool?) -> JSONTree? { value.map { .word(String($0)) } }
        let fields = [
            ("Network", text(network)), ("SubnetLen", number(subnetLen)), ("SubnetMin", text(subnetMin)),
            ("SubnetMax", text(subnetMax)), ("EnableIPv4", word(enableIpv4)),
            ("EnableIPv6", word(enableIpv6 ?? (ipv6Network == nil ? nil : true))), ("IPv6Network", text(ipv6Network)),
            ("IPv6SubnetLen", number(ipv6SubnetLen)),
        ]
        for (name, value) in fields { if let value { config[name] = value } }
        let backendFields = [
            ("Type", text(backend)), ("VNI", number(vni)), ("Port", number(port)), ("MTU", number(mtu)),
            ("DirectRouting", word(directRouting)),
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
