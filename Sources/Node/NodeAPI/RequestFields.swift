// SPDX-License-Identifier: Apache-2.0

import APISchema
import IPAddressing
import Leases

/// What the documents of changing requests say, checked as far as that needs nothing but the document.
enum RequestFields {
    static let backend: Set<String> = ["type", "vni", "vtepMAC"]

    static func node(_ name: String) throws(APIProblem) -> NodeID {
        guard (1...253).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw RequestBody.problem("node", "the field 'node' must be 1 to 253 visible characters of ASCII")
        }
        return NodeID(name)
    }

    static func publicIP(_ text: String) throws(APIProblem) -> IPv4Address {
        guard let address = try? IPv4Address(parsing: text) else {
            throw RequestBody.problem("publicIP", "the field 'publicIP' is not an IPv4 address")
        }
        guard !address.isLoopback, !address.isMulticast, (1...223).contains(address.bits >> 24) else {
            throw RequestBody.problem("publicIP", "the field 'publicIP' is \(address), which no node can be reached at")
        }
        return address
    }

    /// `nil` in it: no subnet begins there.
    static func subnet(_ text: String) throws(APIProblem) -> IPv4Prefix? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = try? IPv4Address(parsing: parts[0]),
            (1...2).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), parts[1] == "0" || parts[1].first != "0",
            let length = Int(parts[1]), length <= 32
        else {
            throw RequestBody.problem("subnet", "the field 'subnet' is not a subnet such as 10.244.20.0/24")
        }
        guard let prefix = IPv4Prefix(address, length: length), prefix.address == address else { return nil }
        return prefix
    }

    static let lifetimes = 2...31_536_000

    static func ttl(_ seconds: Int) throws(APIProblem) -> Duration {
        guard lifetimes.contains(seconds) else {
            throw RequestBody.problem(
                "ttl", "the field 'ttl' must be \(lifetimes.lowerBound) to \(lifetimes.upperBound) seconds")
        }
        return .seconds(seconds)
    }

    /// - Parameter config: the network's own VNI is the one that is meant where none is said.
    static func backend(
        _ document: BackendDocument, config: ConfigReading?
    ) throws(APIProblem) -> LeaseAnnouncement.Backend {
        switch document.type {
        case "vxlan":
            guard let text = document.vtepMAC, let mac = try? MACAddress(parsing: text), !mac.isMulticast else {
                throw RequestBody.problem(
                    "backend.vtepMAC", "the field 'backend.vtepMAC' must be the MAC address of the node's VXLAN device")
            }
            var vni = UInt32(1)
            if case .valid(let config)? = config, case .vxlan(let vxlan) = config.backend { vni = vxlan.vni }
            if let given = document.vni { vni = given }
            guard (1...0xFF_FFFF).contains(vni) else {
                throw RequestBody.problem("backend.vni", "the field 'backend.vni' must be 1 to 16777215")
            }
            return .vxlan(ipv4: VXLANAnnouncement(vni: vni, mac: mac), ipv6: nil)
        case "host-gw", "alloc":
            guard document.vni == nil, document.vtepMAC == nil else {
                throw RequestBody.problem(
                    "backend", "a backend of type '\(document.type)' has neither 'vni' nor 'vtepMAC'")
            }
            return document.type == "host-gw" ? .hostGateway : .other("alloc")
        default:
            throw RequestBody.problem("backend.type", "the field 'backend.type' must be vxlan, host-gw or alloc")
        }
    }
}
