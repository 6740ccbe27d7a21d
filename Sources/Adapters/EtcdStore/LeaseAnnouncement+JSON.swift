// SPDX-License-Identifier: Apache-2.0

import Etcd
import IPAddressing
import JSONText
package import Leases

/// What is wrong with a lease's value, as the end of a sentence.
package struct LeaseValueError: Error, Hashable, Sendable {
    package let reason: String
}

extension LeaseAnnouncement {
    /// Reads a lease's value in flannel's schema; members that nobody knows are passed over.
    package init(json bytes: [UInt8]) throws(LeaseValueError) {
        var members = Members()
        do throws(JSONError) {
            var json = JSONReader(bytes)
            guard json.peek() == .object else { throw json.error("not an object") }
            try members.read(&json)
            try json.finish()
        } catch {
            throw LeaseValueError(reason: "its value is not JSON as it should be: \(error)")
        }
        guard let publicIP = members.publicIP else { throw LeaseValueError(reason: "its value has no PublicIP") }
        self.init(
            node: members.nodeName.flatMap { $0.isEmpty ? nil : NodeID($0) }, owner: Self.owner(members.owner),
            publicIP: try Self.address(publicIP, "PublicIP"),
            publicIPv6: try members.publicIPv6.map { text throws(LeaseValueError) in
                try Self.address(text, "PublicIPv6")
            }, backend: try members.backend())
    }

    /// The value in flannel's exact form, with what Tartan adds behind it.
    package var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("PublicIP", publicIP.description)
            json.name("PublicIPv6")
            if let publicIPv6 { json.string(publicIPv6.description) } else { json.null() }
            json.member("BackendType", backend.type)
            if case .vxlan(let ipv4, let ipv6) = backend {
                if let ipv4 { Self.write(ipv4, "BackendData", to: &json) }
                if let ipv6 { Self.write(ipv6, "BackendV6Data", to: &json) }
            }
            if let node { json.member("NodeName", node.name) }
            switch owner {
            case .tartan: json.member("Owner", "tartan")
            case .other(let name): json.member("Owner", name)
            case .unnamed: break
            }
        }
        return json.bytes
    }

    private static func write(_ data: VXLANAnnouncement, _ name: String, to json: inout JSONWriter) {
        json.member(
            name,
            object: { json in
                json.member("VNI", data.vni)
                json.member("VtepMAC", data.mac.description)
            })
    }

    private static func owner(_ name: String?) -> Owner {
        switch name {
        case "tartan": .tartan
        case nil, "": .unnamed
        case let name?: .other(name)
        }
    }

    fileprivate static func address<Address: BinaryAddress>(
        _ text: String, _ member: String
    ) throws(LeaseValueError) -> Address {
        do {
            return try Address(parsing: text)
        } catch {
            throw LeaseValueError(reason: "its \(member) \(error)")
        }
    }

    /// The members as they stand; what the backend's mean depends on the type, which may come after them.
    private struct Members {
        var publicIP: String?
        var publicIPv6: String?
        var backendType: String?
        var backendData: JSONReader?
        var backendV6Data: JSONReader?
        var nodeName: String?
        var owner: String?

        mutating func read(_ json: inout JSONReader) throws(JSONError) {
            var read = self
            try json.object { name, json throws(JSONError) in
                switch name {
                case "PublicIP": read.publicIP = try json.string()
                case "PublicIPv6": read.publicIPv6 = try json.string()
                case "BackendType": read.backendType = try json.string()
                case "BackendData":
                    read.backendData = json
                    try json.skip()
                case "BackendV6Data":
                    read.backendV6Data = json
                    try json.skip()
                case "NodeName": read.nodeName = try json.string()
                case "Owner": read.owner = try json.string()
                default: try json.skip()
                }
            }
            self = read
        }

        func backend() throws(LeaseValueError) -> Backend {
            switch backendType ?? "" {
            case "vxlan":
                return .vxlan(
                    ipv4: try Self.vxlan(backendData, "BackendData"),
                    ipv6: try Self.vxlan(backendV6Data, "BackendV6Data"))
            case "host-gw": return .hostGateway
            case let type: return .other(type)
            }
        }

        private static func vxlan(
            _ data: JSONReader?, _ member: String
        ) throws(LeaseValueError) -> VXLANAnnouncement? {
            guard var json = data else { return nil }
            var vni: Int64 = 0
            var mac = ""
            do throws(JSONError) {
                try json.object { name, json throws(JSONError) in
                    switch name {
                    case "VNI": vni = try json.integer()
                    case "VtepMAC": mac = try json.string()
                    default: try json.skip()
                    }
                }
            } catch {
                throw LeaseValueError(reason: "its \(member) is not as it should be: \(error)")
            }
            guard let vni = UInt32(exactly: vni), vni <= 0xFF_FFFF else {
                throw LeaseValueError(reason: "its \(member) has the VNI \(vni), which is not within 0 to 16777215")
            }
            do {
                return VXLANAnnouncement(vni: vni, mac: try MACAddress(parsing: mac))
            } catch {
                throw LeaseValueError(reason: "its VtepMAC \(error)")
            }
        }
    }
}
