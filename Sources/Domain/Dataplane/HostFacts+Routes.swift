// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

extension HostFacts {
    func routeFindings(_ wanted: HostExpectation) -> [HostFinding] {
        var findings: [HostFinding] = []
        if wanted.config.hasIPv4 {
            findings += Self.findings(
                ipv4Routes, network: wanted.config.network, own: wanted.own?.ipv4Subnet, wanted, command: "ip")
        }
        if let family = wanted.config.ipv6 {
            findings += Self.findings(
                ipv6Routes, network: family.network, own: wanted.own?.ipv6Subnet, wanted, command: "ip -6")
        }
        return findings
    }

    /// A default route is everybody's, and inside this node's own subnet is the pods' bridge.
    private static func findings<Address>(
        _ routes: [HostRoute<Address>], network: Prefix<Address>, own: Prefix<Address>?, _ wanted: HostExpectation,
        command: String
    ) -> [HostFinding] {
        routes.compactMap { route in
            guard route.destination.length > 0, route.destination.overlaps(network),
                !wanted.devices.contains(route.device ?? ""),
                own?.contains(route.destination) != true
            else { return nil }
            if route.isKernels && route.device == wanted.underlay.name {
                return HostFinding(
                    .overlappingRoute, .fault,
                    what: "the cluster's network \(network) overlaps the underlay's own, \(route)",
                    why: "an address can't be both a pod's and a host's",
                    remedy: "tartan network set # with another Network")
            }
            guard network.contains(route.destination) else {
                return HostFinding(
                    .overlappingRoute, .warning, what: "the route \(route) contains the cluster's network \(network)",
                    why: "hosts of that range whose addresses are the cluster's can't be reached from here",
                    remedy: "tartan network set # with another Network")
            }
            return HostFinding(
                .overlappingRoute, .fault, what: "the route \(route) lies in the cluster's network \(network)",
                why: "packets for the pods there go that way instead of to their node",
                remedy: route.isKernels
                    ? "\(command) address show dev \(route.device ?? "lo") # and take the address away"
                    : "\(command) route delete \(route)")
        }
    }
}
