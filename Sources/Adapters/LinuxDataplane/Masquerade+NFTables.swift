// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import IPAddressing
package import NFTables

extension NFTable.ID {
    /// The one table that is ours. `inet` is both families in one, so that one transaction changes all and one look
    /// sees all; NAT in it needs Linux 5.2.
    package static let tartan = Self(.inet, "tartan")
}

extension NFTable {
    /// The wanted table. Its rules, of each family, the first that matches decides:
    ///
    /// | packet | what becomes of it |
    /// | --- | --- |
    /// | marked 0x4000, as kube-proxy marks what it masquerades itself | left to kube-proxy's own rule |
    /// | cluster to cluster | as it is |
    /// | cluster to multicast | as it is |
    /// | cluster to anywhere else | masqueraded |
    /// | outside to this node's pods | as it is: pods see who asks |
    /// | outside to another node's pods | masqueraded, so that the answer comes back this way |
    ///
    /// These are flannel's rules for iptables (`-ip-masq`). "As it is" is a `return`: the hook's other chains still have
    /// their say. The chain's priority is `srcnat`; where kube-proxy's chain of the same priority comes first and
    /// chooses an address, that stays, as a connection gets its address once.
    package init(_ masquerade: Masquerade) {
        let marked = NFRule(.mark(mask: 0x4000, .is, 0x4000), .return, comment: "kube-proxy masquerades this itself")
        var rules = [marked]
        if let ipv4 = masquerade.ipv4 {
            rules += Self.rules(of: .ip, ipv4, multicast: NFPrefix(.ip, "224.0.0.0", 4))
        }
        if let ipv6 = masquerade.ipv6 {
            rules += Self.rules(of: .ip6, ipv6, multicast: NFPrefix(.ip6, "ff00::", 8))
        }
        let base = NFChain.Base(type: "nat", hook: "postrouting", priority: 100)
        self.init(.tartan, chains: [NFChain("postrouting", base: base, rules: rules)])
    }

    private static func rules<Address>(
        of family: NFPrefix.Family, _ wanted: Masquerade.Family<Address>, multicast: NFPrefix
    ) -> [NFRule] {
        let network = NFPrefix(family, wanted.network.address.description, Int(wanted.network.length))
        let subnet = NFPrefix(family, wanted.subnet.address.description, Int(wanted.subnet.length))
        let masquerade = NFStatement.masquerade(flags: ["fully-random"])
        return [
            NFRule(.source(.is, network), .destination(.is, network), .return, comment: "inside the cluster"),
            NFRule(.source(.is, network), .destination(.isNot, multicast), masquerade, comment: "pods to the outside"),
            NFRule(.source(.isNot, network), .destination(.is, subnet), .return, comment: "outside to own pods"),
            NFRule(
                .source(.isNot, network), .destination(.is, network), masquerade, comment: "outside to others' pods"),
        ]
    }

    /// Whether the other table can be how a libnftables of another version prints this one: the same but for the words
    /// inside the rules.
    func hasShape(of other: NFTable) -> Bool {
        id == other.id && flags == other.flags && others == other.others
            && chains.map(\.name) == other.chains.map(\.name) && chains.map(\.base) == other.chains.map(\.base)
            && chains.map { $0.rules.map(\.comment) } == other.chains.map { $0.rules.map(\.comment) }
    }
}
