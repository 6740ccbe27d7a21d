// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText

/// What ADD made: the specification's "ADD Success".
struct AddResult: Hashable {
    struct Interface: Hashable {
        var name: String
        var mac: MACAddress?
        var mtu: UInt32?
        /// The container's namespace; `nil` on the host.
        var sandbox: String?
    }

    struct Address: Hashable {
        var address: AddressWithLength
        var gateway: IPAddress?
        /// The place of its interface in the list.
        var interface: Int?
    }

    var interfaces: [Interface] = []
    var addresses: [Address] = []
    var routes: [PodRoute] = []
    var dns = DNSSettings()

    /// In the form of that version, behind what the plugins before made, which is passed on as it came.
    ///
    /// | since | change |
    /// | --- | --- |
    /// | 0.3.0 | lists of interfaces and addresses; an address says its family (`version`) |
    /// | 1.0.0 | it does not |
    /// | 1.1.0 | an interface says its MTU, a route its MTU, segment size, priority, table and scope |
    func json(_ version: SpecVersion, behind previous: JSONValue? = nil) -> JSONValue {
        let offset = Self.list(previous, "interfaces").count
        var result = previous ?? .object([])
        result.set("cniVersion", .string(version.rawValue))
        result.set("interfaces", .array(Self.list(previous, "interfaces") + interfaces.map { json($0, version) }))
        result.set("ips", .array(Self.list(previous, "ips") + addresses.map { json($0, version, offset) }))
        result.set("routes", .array(Self.list(previous, "routes") + routes.map { $0.json(version) }))
        if !dns.isEmpty || result["dns"] == nil { result.set("dns", dns.json) }
        return result
    }

    private static func list(_ object: JSONValue?, _ name: String) -> [JSONValue] {
        guard case .array(let elements)? = object?[name] else { return [] }
        return elements
    }

    private func json(_ interface: Interface, _ version: SpecVersion) -> JSONValue {
        var object = JSONValue.object([.init("name", .string(interface.name))])
        if let mac = interface.mac { object.set("mac", .string(mac.description)) }
        if version >= .v1_1_0, let mtu = interface.mtu { object.set("mtu", .integer(mtu)) }
        if let sandbox = interface.sandbox { object.set("sandbox", .string(sandbox)) }
        return object
    }

    private func json(_ address: Address, _ version: SpecVersion, _ offset: Int) -> JSONValue {
        var object = JSONValue.object([])
        if version < .v1_0_0 { object.set("version", .string(address.address.address.isIPv6 ? "6" : "4")) }
        if let interface = address.interface { object.set("interface", .integer(interface + offset)) }
        object.set("address", .string(address.address.description))
        if let gateway = address.gateway { object.set("gateway", .string(gateway.description)) }
        return object
    }
}

extension AddResult {
    /// Reads a result of any of the versions.
    init(previous: JSONValue) throws(PluginError) {
        let reader = ConfigurationReader(previous, place: "prevResult.")
        for element in try reader.objects("interfaces") {
            interfaces.append(
                Interface(
                    name: try element.text("name") ?? "", mac: try element.mac("mac"),
                    mtu: try element.integer("mtu", in: 0...Int(UInt32.max)).map { UInt32($0) },
                    sandbox: try element.text("sandbox")))
        }
        for element in try reader.objects("ips") {
            guard let text = try element.text("address"), let address = AddressWithLength(parsing: text) else {
                throw element.mistaken("address", "must be an address such as 10.244.1.7/24")
            }
            addresses.append(
                Address(
                    address: address, gateway: try element.address("gateway"),
                    interface: try element.integer("interface", in: -1...Int(Int32.max))))
        }
        for element in try reader.objects("routes") { routes.append(try PodRoute(element)) }
        dns = try DNSSettings(reader.member("dns"))
    }
}
