// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import JSONText
import Netlink
import Testing

/// Why the tests that make pods may be skipped.
enum Means {
    static let areThere: Bool = {
        let name = "tartan-cni-probe-\(UInt32.random(in: 0 ... .max))"
        defer { try? NetworkNamespace.delete(name: name) }
        return (try? NetworkNamespace.create(name: name)) != nil
    }()
    static let reason: Comment = "needs CAP_NET_ADMIN and CAP_SYS_ADMIN to make network namespaces"
    static let referenceReason: Comment = "needs the reference plugins of Debian's containernetworking-plugins"

    /// Bridges of some kernels have no VLANs (CONFIG_BRIDGE_VLAN_FILTERING).
    static let haveVLANs: Bool = {
        guard areThere, let host = try? PodHost(), let namespace = try? NetworkNamespace(name: host.namespace),
            var connection = try? namespace.connect()
        else { return false }
        var bridge = LinkMessage(name: "probe", kind: .bridge)
        bridge.filtersVLANs = true
        do {
            try connection.perform(.new, bridge, [.create, .exclusive])
            return true
        } catch {
            return false
        }
    }()
}

/// A host with a subnet, and the plugin on it.
struct Scene {
    let host: PodHost

    init(subnet: String = "10.99.1.1/24", ipv6Subnet: String? = nil, masquerade: Bool = true) throws {
        host = try PodHost()
        try writeSubnet(subnet, ipv6Subnet: ipv6Subnet, masquerade: masquerade)
    }

    func writeSubnet(
        _ subnet: String, ipv6Subnet: String? = nil, masquerade: Bool = true, more: String = ""
    ) throws {
        var text = "FLANNEL_NETWORK=10.99.0.0/16\nFLANNEL_SUBNET=\(subnet)\n"
        if let ipv6Subnet {
            text += "FLANNEL_IPV6_NETWORK=fd00:99::/48\nFLANNEL_IPV6_SUBNET=\(ipv6Subnet)\n"
        }
        text += "FLANNEL_MTU=1400\nFLANNEL_IPMASQ=\(masquerade)\n\(more)"
        try File.write(text, to: host.subnetFile)
    }

    func run(
        _ command: String, _ container: String, _ pod: PodHost.Pod?, _ configuration: JSONValue? = nil,
        interface: String = "eth0", arguments: String = "", plugin: String = PluginFiles.ours
    ) throws -> PluginProcess.Outcome {
        try host.start(
            plugin, command, container, pod, configuration ?? host.configuration(), interface: interface,
            arguments: arguments
        ).wait()
    }

    /// An ADD that must succeed: its result.
    func add(
        _ container: String, _ pod: PodHost.Pod, _ configuration: JSONValue? = nil, interface: String = "eth0",
        arguments: String = "", plugin: String = PluginFiles.ours
    ) throws -> JSONValue {
        let outcome = try run(
            "ADD", container, pod, configuration, interface: interface, arguments: arguments, plugin: plugin)
        try #require(outcome.status == 0, "\(String(decoding: outcome.output, as: UTF8.self)) \(outcome.errors)")
        return try #require(outcome.json)
    }

    /// What a program says in a namespace, the host's if no other is named.
    func look(_ line: String, in namespace: String? = nil) throws -> String {
        let outcome = try PluginProcess(
            "/bin/sh", ["-c", line], in: namespace ?? host.namespace,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        ).wait()
        return String(decoding: outcome.output, as: UTF8.self) + (outcome.status == 0 ? "" : outcome.errors)
    }

    /// The network's addresses that are given away.
    var reserved: [String] {
        File.names(in: host.addressFolder()).filter { $0.first?.isNumber == true || $0.contains(":") }.sorted()
    }

    /// The links of the host that go to pods.
    func podLinks() throws -> [String] {
        try look("ls /sys/class/net 2>/dev/null; ip -o link").split(separator: "\n").compactMap { line in
            line.split(separator: " ").dropFirst().first.map(String.init)
        }.filter { $0.hasPrefix("veth") }
    }
}

extension JSONValue {
    init(_ text: String) throws { try self.init(parsing: Array(text.utf8)) }

    var text: String? {
        switch self {
        case .string(let text): text
        case .number(let digits): digits
        default: nil
        }
    }

    subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    var count: Int {
        guard case .array(let elements) = self else { return 0 }
        return elements.count
    }

    func with(_ name: String, _ value: JSONValue) -> JSONValue {
        var object = self
        object.set(name, value)
        return object
    }

    /// A result without the routes that name no gateway: the reference bridge plugin installs them with one, and its
    /// CHECK then does not find its own.
    var withGateways: JSONValue {
        guard case .array(let routes)? = self["routes"] else { return self }
        return with("routes", .array(routes.filter { $0["gw"] != nil }))
    }

    /// The address of that place in a result, without its length.
    func address(_ index: Int = 0) -> String? {
        self["ips"]?[index]?["address"]?.text?.split(separator: "/").first.map(String.init)
    }
}
