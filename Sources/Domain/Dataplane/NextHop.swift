// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// Which device a packet leaves by.
package enum EgressDevice: UInt8, Hashable, Sendable {
    case vxlan
    case underlay
    /// Neither: only seen, never wanted, in what is left of an earlier configuration.
    case other
}

/// The number of a next-hop object, unique in its network namespace.
package struct NextHopID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    /// Derived from the gateway, so that a restarted daemon, or one with another set of peers, gives every peer the
    /// number that it had. IPv4: the address itself. IPv6: what tells the network's subnets apart, in the range of
    /// class E, where no IPv4 gateway is.
    package init<Address: BinaryAddress>(gateway: Address, subnetLength: Int) {
        if let ipv4 = gateway as? IPv4Address {
            value = ipv4.bits
        } else {
            let shift = max(0, Address.Bits.bitWidth - subnetLength)
            value = 0xF000_0000 | UInt32(truncatingIfNeeded: gateway.bits >> Address.Bits(shift)) & 0x0FFF_FFFF
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    package var description: String { String(value) }
}

/// A next-hop object: the kernel keeps it once, and routes name it by number (Linux 5.3).
///
/// Not `via GATEWAY` in the route itself: the kernel's table of such routes has one chain a device, so that every
/// insert walks past all the routes already there.
package struct NextHop<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    package let id: NextHopID
    package let gateway: Address
    package let device: EgressDevice

    package init(id: NextHopID, gateway: Address, device: EgressDevice) {
        self.id = id
        self.gateway = gateway
        self.device = device
    }

    package var description: String { "nexthop id \(id) via \(gateway) dev \(device) onlink" }
}
