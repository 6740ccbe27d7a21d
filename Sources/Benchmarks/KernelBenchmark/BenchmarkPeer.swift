// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases

/// A peer by its number, counted from one: the same ones that the raw sender makes.
struct BenchmarkPeer {
    let number: UInt32

    init(_ number: Int) { self.number = UInt32(clamping: number) }

    /// The first address of its subnet, a /24.
    var gateway: IPv4Address { IPv4Address(bits: 0x0A00_0000 + number << 8) }
    var mac: MACAddress { MACAddress(bits: 0x0200_0000_0000 + UInt64(number)) }
    var publicIP: IPv4Address { IPv4Address(bits: 0xAC10_0000 + number) }

    var peer: Peer<IPv4Address> {
        let subnet = IPv4Prefix(gateway, length: 24) ?? IPv4Prefix(host: gateway)
        return Peer(
            key: SubnetKey(subnet), subnet: subnet, node: nil, publicIP: publicIP, mac: mac,
            createRevision: Revision(Int64(number)))
    }
}
