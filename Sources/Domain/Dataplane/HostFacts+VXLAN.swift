// SPDX-License-Identifier: Apache-2.0

import Leases

extension HostFacts {
    func vxlanFindings(_ wanted: HostExpectation) -> [HostFinding] {
        guard let config = wanted.vxlan else { return [] }
        var findings: [HostFinding] = []
        if supportsVXLAN == false {
            findings.append(
                HostFinding(
                    .vxlanSupport, .fault, what: "the kernel\(kernel.isEmpty ? "" : " \(kernel)") has no VXLAN",
                    why: "the network's backend is vxlan", remedy: "modprobe vxlan"))
        }
        let onPort = links.filter { $0.vxlan?.port == config.port }
        for link in onPort where !wanted.devices.contains(link.name) {
            guard let vxlan = link.vxlan, let conflict = Self.conflict(of: vxlan, with: config) else { continue }
            findings.append(
                HostFinding(
                    .vxlanDevice, .fault, what: "the VXLAN device \(link.name) has UDP port \(config.port) \(conflict)",
                    why: "the kernel gives a packet to one device, and refuses a second that would take it",
                    remedy: "ip link delete \(link.name)"))
        }
        // The socket of a VXLAN device is in the list like any other.
        if udpPorts.contains(config.port), !onPort.contains(where: \.isUp) {
            findings.append(
                HostFinding(
                    .udpPort, .fault, what: "UDP port \(config.port) is taken by a program",
                    why: "the VXLAN device \(wanted.device) can't be set up",
                    remedy: "ss -lunp 'sport = :\(config.port)' # and stop that program"))
        }
        return findings
    }

    /// One socket can be shared by devices of different VNIs that understand the header alike
    /// (drivers/net/vxlan: `VXLAN_F_RCV_FLAGS`).
    private static func conflict(of device: VXLAN, with config: VXLANConfig) -> String? {
        if device.isExternal { return "for every VNI" }
        if device.vni == config.vni { return "and VNI \(config.vni), as this network" }
        if device.gbp != config.gbp { return "\(device.gbp ? "with" : "without") GBP, unlike this network" }
        return nil
    }

    func mtuFindings(_ wanted: HostExpectation) -> [HostFinding] {
        let underlay = wanted.underlay
        let envelope = wanted.vxlan == nil ? 0 : wanted.overhead
        let outer = wanted.vxlan?.mtu ?? underlay.mtu
        let mtu = min(outer, underlay.mtu) - envelope
        var findings: [HostFinding] = []
        if outer > underlay.mtu {
            findings.append(
                HostFinding(
                    .mtu, .fault,
                    what: "the network's MTU of \(outer) exceeds the \(underlay.mtu) of \(underlay.name)",
                    why:
                        "full packets of nodes with the larger one are dropped, so that connections open and then hang",
                    remedy: "ip link set dev \(underlay.name) mtu \(outer)"))
        }
        let (least, reason) =
            wanted.config.ipv6 == nil
            ? (576, "every IPv4 host may send packets of 576 bytes")
            : (1280, "IPv6 needs 1280 bytes (RFC 8200 section 5), and the kernel turns it off below")
        if mtu < least {
            findings.append(
                HostFinding(
                    .mtu, .fault, what: "a pod's MTU would be \(mtu)", why: reason,
                    remedy: "ip link set dev \(underlay.name) mtu \(max(least + envelope, 1500))"))
        }
        return findings
    }
}
