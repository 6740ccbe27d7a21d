// SPDX-License-Identifier: Apache-2.0

import IPAddressing
package import Leases

/// What this node is to do on its host, as far as the host's state decides whether it can.
package struct HostExpectation: Hashable, Sendable {
    package var config: NetworkConfig
    /// This node's own subnet, once there is one.
    package var own: SubnetKey?
    package var underlay: Underlay
    /// The VXLAN device's name.
    package var device: String
    /// That of IPv6's; `nil` where there is none.
    package var ipv6Device: String?

    package init(
        config: NetworkConfig, own: SubnetKey?, underlay: Underlay, device: String, ipv6Device: String? = nil
    ) {
        self.config = config
        self.own = own
        self.underlay = underlay
        self.device = device
        self.ipv6Device = ipv6Device
    }

    /// Those of the families that there are.
    var devices: [String] { (config.hasIPv4 ? [device] : []) + (ipv6Device.map { [$0] } ?? []) }

    /// What VXLAN adds to a pod's packet, in bytes: a pod has one MTU for both families.
    var overhead: Int {
        guard config.ipv6 != nil, underlay.ipv6Address != nil else { return IPv4Address.overhead }
        return IPv6Address.overhead
    }

    /// `nil`: the pods' packets go another way, or none.
    var vxlan: VXLANConfig? {
        guard case .vxlan(let config) = config.backend else { return nil }
        return config
    }
}

extension HostFacts {
    /// What is wrong, the worst first. A node that only leases needs nothing of its host.
    package func findings(for wanted: HostExpectation) -> [HostFinding] {
        if case .none = wanted.config.backend { return [] }
        let found =
            vxlanFindings(wanted) + mtuFindings(wanted) + routeFindings(wanted) + forwardingFindings(wanted)
            + policyFindings(wanted) + filterFindings(wanted) + networkdFindings() + ipv6Findings(wanted)
        // Of one severity in the order of the checks.
        return HostFinding.Severity.allCases.reversed().flatMap { severity in
            found.filter { $0.severity == severity }
        }
    }

    private func networkdFindings() -> [HostFinding] {
        guard let networkd, networkd.managesForeignRoutes || networkd.managesForeignNextHops else { return [] }
        let things = [
            networkd.managesForeignRoutes ? "routes" : nil, networkd.managesForeignNextHops ? "next hops" : nil,
        ].compactMap(\.self).joined(separator: " and ")
        return [
            HostFinding(
                .networkd, .warning,
                what: "systemd-networkd removes \(things) that it did not make from the interfaces that it manages",
                why: "pods of other nodes can't be reached from its restart until the entries are put back",
                remedy: "mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\nManageForeignRoutes=no\\n"
                    + "ManageForeignNextHops=no\\n' > /etc/systemd/networkd.conf.d/50-tartan.conf && "
                    + "systemctl restart systemd-networkd")
        ]
    }
}
