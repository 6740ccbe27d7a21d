// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

extension HostFacts {
    /// What is in the way of IPv6 alone.
    func ipv6Findings(_ wanted: HostExpectation) -> [HostFinding] {
        guard wanted.config.ipv6 != nil else { return [] }
        return disabledFindings(wanted) + addressFindings(wanted) + advertisementFindings(wanted)
    }

    private func disabledFindings(_ wanted: HostExpectation) -> [HostFinding] {
        // The daemon's own devices are turned on by itself.
        let names = ["default", wanted.underlay.name].filter { ipv6Disabled[$0] == true }
        guard !names.isEmpty else { return [] }
        return [
            HostFinding(
                .ipv6, .fault, what: "IPv6 is turned off on \(names.joined(separator: " and "))",
                why: names[0] == "default"
                    ? "the pods' bridge and their interfaces get no IPv6 address"
                    : "the other nodes can't be reached by it",
                remedy: names.map { "sysctl -w net/ipv6/conf/\($0)/disable_ipv6=0" }.joined(separator: " && "))
        ]
    }

    private func addressFindings(_ wanted: HostExpectation) -> [HostFinding] {
        guard wanted.underlay.ipv6Address == nil, wanted.underlay.publicIPv6 == nil else { return [] }
        return [
            HostFinding(
                .ipv6, .fault, what: "\(wanted.underlay.name) has no global IPv6 address",
                why: "the network has IPv6, which goes from node to node by IPv6 alone, so that pods here get none",
                remedy: "ip -6 address add ADDRESS/64 dev \(wanted.underlay.name) # then restart tartand")
        ]
    }

    /// A host that forwards takes no router advertisements unless it is told to, and a default route that came by one
    /// ends with its lifetime (Documentation/networking/ip-sysctl.rst: accept_ra).
    private func advertisementFindings(_ wanted: HostExpectation) -> [HostFinding] {
        guard forwardsIPv6 == true else { return [] }
        return advertisedDefaults.sorted().filter { routerAdvertisements[$0] == 1 }.map { name in
            HostFinding(
                .routerAdvertisements, .warning,
                what: "\(name) has its default route from router advertisements, which a host that forwards ignores",
                why: "the route ends with its lifetime, and with it the way to the outside by IPv6",
                remedy: "sysctl -w net/ipv6/conf/\(name)/accept_ra=2")
        }
    }
}
