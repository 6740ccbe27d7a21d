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
    /// Which families the cluster and its underlay have.
    package var families = LabFamilies.ipv4
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

    /// Where a member listens, in the form of a URL's host.
    func host(ofMember number: Int) -> String {
        guard families == .ipv6 else { return "\(address(ofMember: number))" }
        return "[\(ipv6Address(etcdMembers == 1 ? 1 : 1 + number))]"
    }

    /// The underlay's and the cluster's, both out of the range for private use (RFC 4193).
    package static let ipv6Underlay = IPv6Prefix(high: 0xFD20_7A72_7461_6E00, length: 64)
    package static let ipv6Network = IPv6Prefix(high: 0xFD00_0010_0244_0000, length: 48)

    /// On the underlay; the bridge has the first.
    package func ipv6Address(_ number: Int) -> IPv6Address {
        IPv6Address(bits: Self.ipv6Underlay.address.bits + UInt128(number))
    }

    package func ipv6Address(ofNode number: Int) -> IPv6Address { ipv6Address(10 + number) }

    package func address(ofNode number: Int) -> IPv4Address {
        IPv4Address(bits: underlay.address.bits + 10 + UInt32(number))
    }

    /// Node 1 has the first pods, node 2 the next.
    package func pods(ofNode number: Int) -> Range<Int> { (number - 1) * pods + 1..<number * pods + 1 }
}

/// Which families of addresses a lab has, on its underlay as in its cluster.
package enum LabFamilies: String, Hashable, Sendable, CaseIterable {
    case ipv4
    case dual
    case ipv6

    package var hasIPv4: Bool { self != .ipv6 }
    package var hasIPv6: Bool { self != .ipv4 }
}

extension IPv6Prefix {
    fileprivate init(high: UInt64, length: UInt8) {
        let address = IPv6Address(bits: UInt128(high) << 64)
        self = IPv6Prefix(address, length: Int(length)) ?? IPv6Prefix(host: address)
    }
}
