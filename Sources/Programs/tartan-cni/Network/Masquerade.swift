// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// What pods send out of the cluster network leaves with the node's address, where the daemon does not see to that.
///
/// One nftables table a network, written whole and at once by each ADD, so that whoever flushed the rules is outlived;
/// the pods' addresses are a set in it. A mark in the network's folder says that there may be such a table, so that
/// nobody else starts `nft`.
struct Masquerade {
    let network: String
    let folder: String

    init(_ configuration: NetworkConfiguration) {
        network = configuration.name
        folder = configuration.addressFolder
    }

    private var mark: String { "\(folder)/.masquerade" }
    private var table: String { "inet tartan-cni-\(network)" }

    var isInUse: Bool { Disk.exists(mark) }

    func add(_ addresses: [IPAddress], _ subnet: NodeSubnet) throws(PluginError) {
        try Disk.replace(mark, with: [], by: "\(mark).\(addresses.first.map { "\($0)" } ?? "")", mode: 0o644)
        try run(definition + rules(subnet) + elements("add", addresses))
    }

    func remove(_ addresses: [IPAddress]) throws(PluginError) {
        // Added first, since to remove what is not there would be an error.
        try run(definition + elements("add", addresses) + elements("delete", addresses))
    }

    /// Leaves these and no others; with none the table goes.
    func keep(_ addresses: [IPAddress]) throws(PluginError) {
        guard !addresses.isEmpty else {
            try run(["add table \(table)", "delete table \(table)"])
            return try Disk.remove(mark)
        }
        try run(
            definition + ["flush set \(table) pods4", "flush set \(table) pods6"] + elements("add", addresses))
    }

    private var definition: [String] {
        [
            "add table \(table)", "add set \(table) pods4 { type ipv4_addr; }",
            "add set \(table) pods6 { type ipv6_addr; }",
            "add chain \(table) postrouting { type nat hook postrouting priority srcnat; policy accept; }",
        ]
    }

    private func rules(_ subnet: NodeSubnet) -> [String] {
        var lines = ["flush chain \(table) postrouting"]
        for network in subnet.networks {
            let isIPv6 = network.address.isIPv6
            let (family, set, multicast) = isIPv6 ? ("ip6", "pods6", "ff00::/8") : ("ip", "pods4", "224.0.0.0/4")
            lines.append(
                "add rule \(table) postrouting \(family) saddr @\(set) \(family) daddr != { \(network), \(multicast) } "
                    + "masquerade fully-random")
        }
        return lines
    }

    private func elements(_ verb: String, _ addresses: [IPAddress]) -> [String] {
        addresses.map { "\(verb) element \(table) \($0.isIPv6 ? "pods6" : "pods4") { \($0) }" }
    }

    private func run(_ lines: [String]) throws(PluginError) {
        let folders = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"]
        guard let nft = ChildProgram("nft", in: folders, arguments: ["-f", "-"]) else {
            throw PluginError(
                .masquerade,
                "ipMasq needs the program nft, which is not installed; install nftables, or let tartand "
                    + "masquerade (--ip-masq)")
        }
        let outcome = try nft.run(Array((lines.joined(separator: "\n") + "\n").utf8))
        guard outcome.status == 0 else {
            throw PluginError(
                .masquerade, "nft refused the rules for ipMasq with status \(outcome.status); see its words in the log",
                details: lines.joined(separator: "; "))
        }
    }
}
