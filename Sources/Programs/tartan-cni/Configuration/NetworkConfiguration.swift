// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText

/// The network configuration that the runtime hands in on standard input.
///
/// Read leniently where the specification lets others add members, strictly where a member is ours.
struct NetworkConfiguration {
    let version: SpecVersion
    let name: String
    /// The whole, for what is passed on.
    let document: JSONValue
    let subnetFile: String
    /// Where the delegate's configurations are kept between ADD and DEL: flannel's folder, so that a pod added by
    /// flannel's plugin can be deleted by this one.
    let delegateFolder: String
    /// `nil`: this plugin does the work itself.
    let delegate: JSONValue?
    let bridge: BridgeOptions
    /// The folder of the network's addresses: the reference host-local plugin's.
    let addressFolder: String
    let routes: [PodRoute]
    let dns: DNSSettings
    let resolvConf: String?
    /// What the runtime asked for; none: whatever is free.
    let requestedAddresses: [IPAddress]
    let requestedMAC: MACAddress?
    /// The result of the plugins before, or of the ADD.
    let previous: JSONValue?
    /// Who still uses the network, for GC; `nil` where the runtime did not say.
    let validAttachments: Set<Attachment>?

    init(_ bytes: [UInt8], _ invocation: Invocation) throws(PluginError) {
        document = try Self.parse(bytes)
        let reader = ConfigurationReader(document)
        version = try Self.version(document, invocation.command)
        name = try reader.text("name") ?? ""
        guard Invocation.isIdentifier(name) else {
            throw reader.mistaken("name", "must begin with a letter or digit and have only those, '_', '.' and '-'")
        }
        subnetFile = try reader.text("subnetFile") ?? "/run/flannel/subnet.env"
        delegateFolder = try reader.text("dataDir") ?? "/var/lib/cni/flannel"
        delegate = try reader.member("delegate")?.object
        previous = try reader.member("prevResult")?.object
        validAttachments = try Self.attachments(reader)
        dns = try DNSSettings(reader.member("dns"))
        bridge = delegate == nil ? try BridgeOptions(reader) : BridgeOptions()

        let ipam = try reader.member("ipam") ?? ConfigurationReader(.object([]), place: "ipam.")
        addressFolder = "\(try ipam.text("dataDir") ?? "/var/lib/cni/networks")/\(name)"
        resolvConf = try ipam.text("resolvConf")
        var routes: [PodRoute] = []
        if delegate == nil {
            for route in try ipam.objects("routes") { routes.append(try PodRoute(route)) }
            try Self.check(ipam)
        }
        self.routes = routes
        let runtime = try reader.member("runtimeConfig")
        let arguments = try reader.member("args")?.member("cni")
        requestedAddresses = try Self.addresses(invocation, arguments, runtime)
        var mac = invocation.arguments.mac
        for reader in [arguments, runtime] {
            if let wish = try reader?.mac("mac") { mac = wish }
        }
        requestedMAC = mac
    }

    /// The document alone: what `VERSION` needs, and an error that should carry the right version.
    static func parse(_ bytes: [UInt8]) throws(PluginError) -> JSONValue {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw PluginError(.undecodable, "the network configuration on standard input is not JSON: \(error)")
        }
        guard case .object = document else {
            throw PluginError(.undecodable, "the network configuration on standard input is not a JSON object")
        }
        return document
    }

    private static func version(_ document: JSONValue, _ command: Command) throws(PluginError) -> SpecVersion {
        guard case .string(let text)? = document["cniVersion"] else {
            throw PluginError(
                .incompatibleVersion, "the configuration has no cniVersion; this plugin speaks \(SpecVersion.list)")
        }
        guard let version = SpecVersion(rawValue: text) else {
            throw PluginError(
                .incompatibleVersion, "cniVersion \(text) is not spoken here; this plugin speaks \(SpecVersion.list)",
                details: "config is \"\(text)\", plugin supports \(SpecVersion.list)")
        }
        guard version >= command.firstVersion else {
            throw PluginError(
                .incompatibleVersion,
                "\(command.rawValue) needs cniVersion \(command.firstVersion.rawValue) or later, not \(text)")
        }
        return version
    }

    /// What in the `ipam` section would be ignored and must not be.
    private static func check(_ ipam: ConfigurationReader) throws(PluginError) {
        let type = try ipam.text("type") ?? "host-local"
        guard type == "host-local" else {
            throw PluginError(
                .unsupportedField,
                "the configuration has ipam.type=\"\(type)\", but this plugin gives the addresses of the node's subnet "
                    + "itself; leave ipam.type out, or use \"delegate\"")
        }
        for name in ["subnet", "ranges", "rangeStart", "rangeEnd", "gateway"] {
            try ipam.refuse(name, because: "the subnet file says which addresses this node has; leave it out")
        }
    }

    private static func addresses(
        _ invocation: Invocation, _ arguments: ConfigurationReader?, _ runtime: ConfigurationReader?
    ) throws(PluginError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        if let address = invocation.arguments.address { addresses.append(address) }
        for reader in [arguments, runtime] {
            guard let reader else { continue }
            for text in try reader.texts("ips") {
                guard let address = AddressWithLength(parsing: text)?.address ?? (try? IPAddress(parsing: text)) else {
                    throw reader.mistaken("ips", "has '\(text)', which is not an address")
                }
                if !addresses.contains(address) { addresses.append(address) }
            }
        }
        return addresses
    }

    private static func attachments(_ reader: ConfigurationReader) throws(PluginError) -> Set<Attachment>? {
        let name = "cni.dev/valid-attachments"
        guard reader.object[name] != nil else { return nil }
        var attachments: Set<Attachment> = []
        for element in try reader.objects(name) {
            guard let container = try element.text("containerID"), let interface = try element.text("ifname") else {
                throw reader.mistaken(name, "must have a containerID and an ifname in every element")
            }
            attachments.insert(Attachment(containerID: container, interface: interface))
        }
        return attachments
    }
}
