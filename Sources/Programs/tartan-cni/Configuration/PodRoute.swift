// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText
import Netlink

/// A route in the pod, as the specification's results and `ipam.routes` have it.
struct PodRoute: Hashable {
    var destination: AddressWithLength
    /// `nil`: the gateway of the pod's address of that family.
    var gateway: IPAddress?
    // The rest since 1.1.0.
    var mtu: UInt32?
    var segmentSize: UInt32?
    var priority: UInt32?
    var table: UInt32?
    var scope: UInt8?

    init(destination: AddressWithLength, gateway: IPAddress? = nil) {
        self.destination = destination
        self.gateway = gateway
    }

    init(_ reader: ConfigurationReader) throws(PluginError) {
        guard let text = try reader.text("dst"), let destination = AddressWithLength(parsing: text) else {
            throw reader.mistaken("dst", "must be a network such as 10.244.0.0/16")
        }
        self.destination = destination.network
        gateway = try reader.address("gw")
        if let gateway, gateway.isIPv6 != destination.address.isIPv6 {
            throw reader.mistaken("gw", "must be of the family of dst")
        }
        let number = 0...Int(UInt32.max)
        mtu = try reader.integer("mtu", in: number).map { UInt32($0) }
        segmentSize = try reader.integer("advmss", in: number).map { UInt32($0) }
        priority = try reader.integer("priority", in: number).map { UInt32($0) }
        table = try reader.integer("table", in: number).map { UInt32($0) }
        scope = try reader.integer("scope", in: 0...255).map { UInt8($0) }
    }

    func json(_ version: SpecVersion) -> JSONValue {
        var object = JSONValue.object([.init("dst", .string(destination.description))])
        if let gateway { object.set("gw", .string(gateway.description)) }
        guard version >= .v1_1_0 else { return object }
        if let mtu { object.set("mtu", .integer(mtu)) }
        if let segmentSize { object.set("advmss", .integer(segmentSize)) }
        if let priority { object.set("priority", .integer(priority)) }
        if let table { object.set("table", .integer(table)) }
        if let scope { object.set("scope", .integer(scope)) }
        return object
    }

    /// The same as the kernel wants it, by way of that gateway where the route names none.
    func message(device: UInt32, gateway standard: IPAddress?) -> RouteMessage {
        // A route inside a link has no gateway: 253 is RT_SCOPE_LINK.
        let way = gateway ?? (scope == 253 ? nil : standard)
        var route = RouteMessage(
            destination: destination.address, prefixLength: destination.length, gateway: way, device: device,
            table: table ?? RouteMessage.mainTable)
        route.priority = priority
        route.mtu = mtu
        route.segmentSize = segmentSize
        if let scope { route.scope = AddressMessage.Scope(rawValue: scope) ?? route.scope }
        return route
    }
}
