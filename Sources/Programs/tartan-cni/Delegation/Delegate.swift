// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText
import Leases

/// The work left to another plugin, `bridge` if no other is named, with a configuration made of ours and the subnet
/// file: flannel's form, member by member, and flannel's place for it between ADD and DEL, so that the two plugins can
/// follow each other on a node.
struct Delegate {
    let configuration: NetworkConfiguration
    let options: JSONValue
    let invocation: Invocation

    /// What ADD hands to the delegate. Whatever the configuration says itself counts, but for what flannel always
    /// sets: `name`, and of `ipam` the ranges and the routes to the cluster.
    func produced(_ file: SubnetFile) throws(PluginError) -> JSONValue {
        let reader = ConfigurationReader(options, place: "delegate.")
        for name in ["name", "ipam"] where options[name] != nil {
            throw reader.mistaken(name, "must be left out; it is made here")
        }
        let type = try reader.text("type") ?? "bridge"
        var result = options
        result.set("name", .string(configuration.name))
        result.set("type", .string(type))
        if options["ipMasq"] == nil { result.set("ipMasq", .bool(!file.masquerade)) }
        if options["mtu"] == nil { result.set("mtu", .integer(file.mtu)) }
        if type == "bridge", options["isGateway"] == nil { result.set("isGateway", .bool(true)) }
        result.set("cniVersion", .string(configuration.version.rawValue))
        result.set("ipam", try addresses(file))
        if let runtime = configuration.document["runtimeConfig"] { result.set("runtimeConfig", runtime) }
        return result
    }

    private func addresses(_ file: SubnetFile) throws(PluginError) -> JSONValue {
        let reader = ConfigurationReader(configuration.document)
        var ipam = try reader.member("ipam")?.object ?? .object([])
        var routes = try reader.member("ipam")?.list("routes") ?? []
        if ipam["type"] == nil { ipam.set("type", .string("host-local")) }
        var ranges: [JSONValue] = []
        if file.hasIPv4 {
            ranges.append(Self.range("\(file.subnet)"))
            routes.append(Self.route("\(file.network)"))
        }
        if let subnet = file.ipv6Subnet { ranges.append(Self.range("\(subnet)")) }
        if let network = file.ipv6Network { routes.append(Self.route("\(network)")) }
        ipam.set("ranges", .array(ranges))
        ipam.set("routes", .array(routes))
        return ipam
    }

    private static func range(_ subnet: String) -> JSONValue {
        .array([.object([.init("subnet", .string(subnet))])])
    }

    private static func route(_ network: String) -> JSONValue { .object([.init("dst", .string(network))]) }

    func add() throws(PluginError) -> JSONValue {
        let subnet = try NodeSubnet(configuration.subnetFile)
        try subnet.checkHeld()
        let config = try produced(subnet.file)
        try Disk.makeFolder(configuration.delegateFolder, mode: 0o700)
        let path = saved(invocation.containerID)
        try Disk.replace(path, with: config.bytes, by: "\(path).new", mode: 0o600)
        let output = try DelegateCall(config, invocation).run()
        do { return try JSONValue(parsing: output) } catch {
            throw PluginError(.undecodable, "the delegate's result is not JSON: \(error)")
        }
    }

    func delete() throws(PluginError) {
        let path = saved(invocation.containerID)
        guard let bytes = try Disk.read(path) else { return }
        if let config = try? JSONValue(parsing: bytes) {
            _ = try DelegateCall(config, invocation).run()
        } else {
            Log.write("\(path) is not JSON: what the delegate made for the container stays")
        }
        try Disk.remove(path)
    }

    func check() throws(PluginError) {
        guard let previous = configuration.previous else {
            throw PluginError(.badConfiguration, "CHECK needs prevResult, the result of the ADD")
        }
        let subnet = try NodeSubnet(configuration.subnetFile)
        try subnet.checkHeld()
        let path = saved(invocation.containerID)
        guard let bytes = try Disk.read(path) else {
            throw PluginError(.unknownContainer, "\(path) is not there: the container was not added by this plugin")
        }
        var config = try NetworkConfiguration.parse(bytes)
        guard config["ipam"]?["ranges"] == (try produced(subnet.file))["ipam"]?["ranges"] else {
            throw PluginError(
                .mismatch,
                "this node's subnet is \(subnet.file.subnets) and was another when the pod was made; start the pod anew"
            )
        }
        config.set("prevResult", previous)
        _ = try DelegateCall(config, invocation).run()
    }

    /// Asks the delegate itself, as the specification demands, and does for it what it may not know: a DEL for every
    /// container of the network whose configuration is still kept and that is not on the list.
    func collectGarbage() throws(PluginError) {
        guard let valid = configuration.validAttachments else {
            throw PluginError(
                .badConfiguration, "GC needs the list cni.dev/valid-attachments; without it nothing is taken away")
        }
        let containers = Set(valid.map(\.containerID))
        for name in try Disk.names(in: configuration.delegateFolder) where !containers.contains(name) {
            guard Invocation.isIdentifier(name), let bytes = try Disk.read(saved(name)),
                let config = try? JSONValue(parsing: bytes), config["name"] == .string(configuration.name)
            else { continue }
            // Which interface it was is not kept; the kubelet and podman know only this one.
            _ = try DelegateCall(config, invocation, deleting: Attachment(containerID: name, interface: "eth0")).run()
            try Disk.remove(saved(name))
        }
        guard let file = try? NodeSubnet(configuration.subnetFile).file else { return }
        var config = try produced(file)
        config.set("cni.dev/valid-attachments", configuration.document["cni.dev/valid-attachments"] ?? .array([]))
        _ = try DelegateCall(config, invocation).run()
    }

    func status() throws(PluginError) {
        try Status(configuration: configuration).run()
        _ = try DelegateCall(try produced(try NodeSubnet(configuration.subnetFile).file), invocation).run()
    }

    private func saved(_ container: String) -> String { "\(configuration.delegateFolder)/\(container)" }
}
