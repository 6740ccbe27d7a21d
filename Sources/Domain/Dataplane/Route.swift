// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A route to a peer's subnet.
package struct Route<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    package enum Path: Hashable, Sendable {
        case nextHop(NextHopID)
        /// For kernels without next-hop objects.
        case gateway(Address, EgressDevice)
    }

    package let destination: Prefix<Address>
    package let path: Path

    package init(destination: Prefix<Address>, path: Path) {
        self.destination = destination
        self.path = path
    }

    package var description: String {
        switch path {
        case .nextHop(let id): "route \(destination) nhid \(id)"
        case .gateway(let gateway, let device): "route \(destination) via \(gateway) dev \(device) onlink"
        }
    }
}
