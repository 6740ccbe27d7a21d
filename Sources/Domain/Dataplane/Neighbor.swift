// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A permanent neighbour on the VXLAN device: the inner address of a peer's device -> its MAC address.
///
/// | table | says | in `ip`'s words |
/// | --- | --- | --- |
/// | ``Neighbor`` | inner address -> VTEP MAC | `ip neigh` |
/// | ``FDBEntry`` | VTEP MAC -> outer address | `bridge fdb` |
package struct Neighbor<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    package let address: Address
    package let mac: MACAddress

    package init(address: Address, mac: MACAddress) {
        self.address = address
        self.mac = mac
    }

    package var description: String { "neighbour \(address) lladdr \(mac)" }
}
