// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// An entry of the VXLAN device's forwarding database: a peer's VTEP MAC -> its address on the underlay.
package struct FDBEntry<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    package let mac: MACAddress
    package let destination: Address

    package init(mac: MACAddress, destination: Address) {
        self.mac = mac
        self.destination = destination
    }

    package var description: String { "fdb \(mac) dst \(destination)" }
}
