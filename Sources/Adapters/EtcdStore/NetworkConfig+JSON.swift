// SPDX-License-Identifier: Apache-2.0

import Etcd
import JSONText
package import Leases

extension ConfigReading {
    /// What the value of `PREFIX/config` says.
    package init(json bytes: [UInt8]) {
        do throws(NetworkConfigError) {
            self = .valid(try NetworkConfig(try NetworkConfigFields(json: bytes)))
        } catch {
            self = .invalid(error)
        }
    }
}

extension NetworkConfigFields {
    /// Reads the fields; their names in any case, as flannel does, and only those that are known.
    package init(json bytes: [UInt8]) throws(NetworkConfigError) {
        self.init()
        var fields = self
        var fault: NetworkConfigError?
        do throws(JSONError) {
            var json = JSONReader(bytes)
            guard json.peek() == .object else {
                try json.skip()
                try json.finish()
                fault = NetworkConfigError(
                    field: "", reason: "it must be a JSON object such as {\"Network\": \"10.244.0.0/16\"}")
                throw json.error("not an object")
            }
            try json.object { name, json throws(JSONError) in
                guard fault == nil else { return try json.skip() }
                fault = try fields.take(name, &json)
            }
            try json.finish()
        } catch {
            throw fault ?? NetworkConfigError(field: "", reason: "it is not JSON: \(error)")
        }
        if let fault { throw fault }
        self = fields
    }

    private mutating func take(_ name: String, _ json: inout JSONReader) throws(JSONError) -> NetworkConfigError? {
        switch name.lowercased() {
        case "network": try Self.text("Network", &network, &json)
        case "subnetlen": try Self.number("SubnetLen", &subnetLength, &json)
        case "subnetmin": try Self.text("SubnetMin", &subnetMin, &json)
        case "subnetmax": try Self.text("SubnetMax", &subnetMax, &json)
        case "enableipv4": try Self.flag("EnableIPv4", &enableIPv4, &json)
        case "enableipv6": try Self.flag("EnableIPv6", &enableIPv6, &json)
        case "ipv6network": try Self.text("IPv6Network", &ipv6Network, &json)
        case "ipv6subnetlen": try Self.number("IPv6SubnetLen", &ipv6SubnetLength, &json)
        case "ipv6subnetmin": try Self.text("IPv6SubnetMin", &ipv6SubnetMin, &json)
        case "ipv6subnetmax": try Self.text("IPv6SubnetMax", &ipv6SubnetMax, &json)
        case "backend": try takeBackend(&json)
        default: try Self.pass(&json)
        }
    }

    private mutating func takeBackend(_ json: inout JSONReader) throws(JSONError) -> NetworkConfigError? {
        guard json.peek() == .object else { return try Self.wrong("Backend", "an object", &json) }
        var fields = self
        var fault: NetworkConfigError?
        try json.object { name, json throws(JSONError) in
            guard fault == nil else { return try json.skip() }
            fault =
                switch name.lowercased() {
                case "type": try Self.text("Backend.Type", &fields.backendType, &json)
                case "vni": try Self.number("Backend.VNI", &fields.vni, &json)
                case "port": try Self.number("Backend.Port", &fields.port, &json)
                case "mtu": try Self.number("Backend.MTU", &fields.mtu, &json)
                case "gbp": try Self.flag("Backend.GBP", &fields.gbp, &json)
                case "learning": try Self.flag("Backend.Learning", &fields.learning, &json)
                case "directrouting": try Self.flag("Backend.DirectRouting", &fields.directRouting, &json)
                default: try Self.pass(&json)
                }
        }
        self = fields
        return fault
    }

    private static func text(
        _ field: String, _ value: inout String?, _ json: inout JSONReader
    ) throws(JSONError) -> NetworkConfigError? {
        guard json.peek() == .string else { return try wrong(field, "a string", &json) }
        value = try json.string()
        return nil
    }

    private static func number(
        _ field: String, _ value: inout Int?, _ json: inout JSONReader
    ) throws(JSONError) -> NetworkConfigError? {
        guard json.peek() == .number else { return try wrong(field, "a whole number", &json) }
        var whole = json
        guard let number = try? whole.integer() else { return try wrong(field, "a whole number", &json) }
        json = whole
        value = Int(number)
        return nil
    }

    private static func flag(
        _ field: String, _ value: inout Bool?, _ json: inout JSONReader
    ) throws(JSONError) -> NetworkConfigError? {
        guard json.peek() == .bool else { return try wrong(field, "true or false", &json) }
        value = try json.bool()
        return nil
    }

    private static func wrong(
        _ field: String, _ wanted: String, _ json: inout JSONReader
    ) throws(JSONError) -> NetworkConfigError? {
        try json.skip()
        return NetworkConfigError(field: field, reason: "must be \(wanted)")
    }

    private static func pass(_ json: inout JSONReader) throws(JSONError) -> NetworkConfigError? {
        try json.skip()
        return nil
    }
}
