// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What a lab is to be.
package struct LabSettings: Hashable, Sendable {
    package var name: LabName
    package var nodes: Int
    /// On each node.
    package var pods: Int
    /// The cluster's network, as in the network config.
    package var network: IPv4Prefix
    /// As the daemon's option has it.
    package var leaseTTL: String?
    /// Further options of every daemon.
    package var daemonOptions: [String] = []
    /// One lives on the switch itself; several have a namespace each, so that one can be cut off. At most 8.
    package var etcdMembers = 1
    package var tools: LabTools

    package init(
        name: LabName, nodes: Int = 2, pods: Int = 2, network: IPv4Prefix, leaseTTL: String? = nil, tools: LabTools
    ) throws(LabFault) {
        guard (1...250).contains(nodes) else {
            throw LabFault(.usage, "a lab can't have \(nodes) nodes; give 1 to 250")
        }
        guard (0...250).contains(pods) else {
            throw LabFault(.usage, "a node of a lab can't have \(pods) pods; give 0 to 250")
        }
        self.name = name
        self.nodes = nodes
        self.pods = pods
        self.network = network
        self.leaseTTL = leaseTTL
        self.tools = tools
    }

    /// Whether the daemons leave the kernel alone, so that there is nothing to build pods on.
    package var isDetached: Bool {
        zip(daemonOptions, daemonOptions.dropFirst()).contains { $0 == ("--dataplane", "none") }
    }

    /// What the nodes' `eth0` and the bridge are in: the first of a few private networks that the cluster's does not
    /// touch.
    package var underlay: IPv4Prefix {
        let candidates = [
            IPv4Address(172, 20, 0, 0), IPv4Address(192, 168, 0, 0), IPv4Address(198, 18, 0, 0),
        ].compactMap { IPv4Prefix($0, length: 16) }
        return candidates.first { !$0.overlaps(network) } ?? candidates[0]
    }

    /// The bridge's own address, where etcd listens and nodes send what they know no way for.
    package var bridgeAddress: IPv4Address { IPv4Address(bits: underlay.address.bits + 1) }

    package func address(ofMember number: Int) -> IPv4Address {
        etcdMembers == 1 ? bridgeAddress : IPv4Address(bits: underlay.address.bits + 1 + UInt32(number))
    }

    package func address(ofNode number: Int) -> IPv4Address {
        IPv4Address(bits: underlay.address.bits + 10 + UInt32(number))
    }

    /// Node 1 has the first pods, node 2 the next.
    package func pods(ofNode number: Int) -> Range<Int> { (number - 1) * pods + 1..<number * pods + 1 }
}
