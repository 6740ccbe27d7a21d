// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A node's end of the VXLAN overlay (RFC 7348): where its packets are sent to on the underlay, and the MAC address
/// of the device that takes them out of their envelope there.
package struct VTEP: Hashable, Sendable {
    /// The address on the underlay: outer destination.
    package let address: IPAddress
    /// The MAC address of the VXLAN device: inner destination.
    package let mac: MACAddress

    package init(address: IPAddress, mac: MACAddress) {
        self.address = address
        self.mac = mac
    }
}
