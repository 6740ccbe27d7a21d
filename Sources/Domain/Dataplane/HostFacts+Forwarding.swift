// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

extension HostFacts {
    func forwardingFindings(_ wanted: HostExpectation) -> [HostFinding] {
        func finding(_ setting: String) -> HostFinding {
            HostFinding(
                .forwarding, .fault, what: "\(setting) is 0",
                why: "the kernel drops packets between this node's pods and anybody else",
                remedy: "sysctl -w \(setting)=1")
        }
        var findings: [HostFinding] = []
        if wanted.config.hasIPv4, forwardsIPv4 == false { findings.append(finding("net.ipv4.ip_forward")) }
        if wanted.config.ipv6 != nil, forwardsIPv6 == false {
            findings.append(finding("net.ipv6.conf.all.forwarding"))
        }
        return findings
    }

    /// Strict is told of the two interfaces that carry the overlay; the larger of the interface's own value and that of
    /// `all` counts (Documentation/networking/ip-sysctl.rst).
    func filterFindings(_ wanted: HostExpectation) -> [HostFinding] {
        guard wanted.config.hasIPv4 else { return [] }
        let names = wanted.vxlan == nil ? [wanted.underlay.name] : [wanted.device, wanted.underlay.name]
        return names.compactMap { name in
            guard let own = reversePathFilters[name], max(own, reversePathFilters["all"] ?? 0) == 1 else { return nil }
            return HostFinding(
                .reversePathFilter, .warning, what: "the reverse path filter of \(name) is strict",
                why: "packets are dropped without a word where the way back is over another interface",
                // Slashes, because an interface's name may have dots.
                remedy: "sysctl -w net/ipv4/conf/\(name)/rp_filter=2")
        }
    }

    func policyFindings(_ wanted: HostExpectation) -> [HostFinding] {
        let networks =
            (wanted.config.hasIPv4
                ? [("ip", wanted.config.network.description, bridgesThroughIPTables == true)] : [])
            + (wanted.config.ipv6.map { [("ip6", $0.network.description, bridgesThroughIP6Tables == true)] } ?? [])
        var findings: [HostFinding] = []
        for chain in droppingChains {
            let concerned = networks.filter { chain.family == "inet" || chain.family == $0.0 }
            guard !concerned.isEmpty else { continue }
            let bridged = concerned.contains { $0.2 }
            findings.append(
                HostFinding(
                    .forwardPolicy, .warning,
                    what: "the policy of chain \(chain.name) in table \(chain.family) \(chain.table) is drop",
                    why: "packets between pods and others are dropped unless a rule accepts them"
                        + (bridged ? ", and with bridge-nf-call-iptables also those between pods of this node" : ""),
                    remedy: concerned.flatMap { Self.acceptance(of: $0.1, family: $0.0, in: chain) }
                        .joined(separator: " && ")))
        }
        for (isUsed, command) in [(hasLegacyIPTables, "iptables-legacy"), (hasLegacyIP6Tables, "ip6tables-legacy")]
        where isUsed && (command == "iptables-legacy" ? wanted.config.hasIPv4 : wanted.config.ipv6 != nil) {
            findings.append(
                HostFinding(
                    .forwardPolicy, .note, what: "the filter table of \(command) is in use",
                    why: "whether its FORWARD chain drops the pods' packets can't be seen from here",
                    remedy: "\(command) -S FORWARD"))
        }
        return findings
    }

    private static func acceptance(of network: String, family: String, in chain: Chain) -> [String] {
        if chain.isIPTables {
            let command = family == "ip" ? "iptables" : "ip6tables"
            return ["-s", "-d"].map { "\(command) -I FORWARD \($0) \(network) -j ACCEPT" }
        }
        return ["saddr", "daddr"].map {
            "nft insert rule \(chain.family) \(chain.table) \(chain.name) \(family) \($0) \(network) accept"
        }
    }
}
