// SPDX-License-Identifier: Apache-2.0

import IPAddressing

extension VXLANDevice {
    /// The lines of `ip` that make this device of the one that is there; empty where it is as it should be.
    ///
    /// - Parameters:
    ///   - present: what the kernel has under the name; `nil`: nothing.
    ///   - isUp: whether that is set up.
    ///   - underlay: the name of the interface that carries its packets.
    package func commands(from present: VXLANDevice?, isUp: Bool, underlay: String) -> [String] {
        guard let present else { return creation(underlay) }
        guard present.vni == vni, present.port == port, present.gbp == gbp else {
            return ["ip link del \(name)"] + creation(underlay)
        }
        var lines: [String] = []
        var changes: [String] = []
        if present.local != local { changes.append("local \(local)") }
        if present.underlayIndex != underlayIndex { changes.append("dev \(underlay)") }
        if present.learning != learning { changes.append(learning ? "learning" : "nolearning") }
        if !changes.isEmpty {
            lines.append("ip link set \(name) type vxlan id \(vni) " + changes.joined(separator: " "))
        }
        if present.mac != mac, hasMAC { lines.append("ip link set \(name) address \(mac)") }
        if present.mtu != mtu { lines.append("ip link set \(name) mtu \(mtu)") }
        if let address, present.address != address { lines.append(addition(address)) }
        if !isUp { lines.append("ip link set \(name) up") }
        return lines
    }

    /// Whether it is known which one it will have: a node's first start draws it.
    private var hasMAC: Bool { mac.bits != 0 }

    /// Nobody else on the device could have it: IPv6 need not ask.
    private func addition(_ address: Prefix<Address>) -> String {
        "ip address add \(address) dev \(name)" + (Address.self == IPv6Address.self ? " nodad" : "")
    }

    private func creation(_ underlay: String) -> [String] {
        let address = hasMAC ? " address \(mac)" : ""
        var lines = [
            "ip link add \(name)\(address) mtu \(mtu) type vxlan id \(vni) dev \(underlay) local \(local)"
                + " dstport \(port) \(learning ? "learning" : "nolearning")\(gbp ? " gbp" : "")",
            "ip link set \(name) addrgenmode none",
        ]
        if let address = self.address { lines.append(addition(address)) }
        return lines + ["ip link set \(name) up"]
    }
}
