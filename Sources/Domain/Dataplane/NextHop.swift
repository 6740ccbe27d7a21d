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

    /// From here on, for 2^28, they are of IPv6.
    static let firstIPv6: UInt32 = 0xE000_0000

    package var isIPv6: Bool { value >> 28 == Self.firstIPv6 >> 28 }

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
