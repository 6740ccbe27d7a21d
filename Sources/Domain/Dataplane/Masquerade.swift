// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// Which packets leave this node with the node's address in place of their own.
///
/// Of each family: what pods send out of the cluster's network, multicast excepted; and what comes from outside and goes
/// to the pods of another node, so that the answer comes back this way. Never what stays inside the cluster, and never
/// what comes from outside for this node's own pods.
package struct Masquerade: Hashable, Sendable {
    package struct Family<Address: BinaryAddress>: Hashable, Sendable {
        /// The whole cluster's.
        package let network: Prefix<Address>
        /// This node's own.
        package let subnet: Prefix<Address>

        package init(network: Prefix<Address>, subnet: Prefix<Address>) {
            self.network = network
            self.subnet = subnet
        }
    }

    package let ipv4: Family<IPv4Address>?
    package let ipv6: Family<IPv6Address>?

    package init(ipv4: Family<IPv4Address>?, ipv6: Family<IPv6Address>? = nil) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// What fits what the pods' network plugin is told.
    package init(_ file: SubnetFile) {
        var ipv6: Family<IPv6Address>?
        if let network = file.ipv6Network, let subnet = file.ipv6Subnet {
            ipv6 = Family(network: network, subnet: subnet)
        }
        self.init(
            ipv4: file.hasIPv4 ? Family(network: file.network, subnet: file.subnet) : nil, ipv6: ipv6)
    }
}
