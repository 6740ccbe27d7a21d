// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The entries of one address family that the kernel has, or should have, for the peers: four tables.
package struct DataplaneState<Address: BinaryAddress>: Hashable, Sendable {
    package var neighbors: [Address: MACAddress] = [:]
    package var fdb: [MACAddress: Address] = [:]
    package var nextHops: [NextHopID: NextHop<Address>] = [:]
    package var routes: [Prefix<Address>: Route<Address>.Path] = [:]

    package init() {}

    package var count: Int { neighbors.count + fdb.count + nextHops.count + routes.count }
}

extension DataplaneState: CustomStringConvertible {
    /// Lines in the words of `ip` and `bridge`, sorted: what tests compare and people read.
    package var description: String {
        let lines =
            neighbors.map { Neighbor(address: $0, mac: $1).description }
            + fdb.map { FDBEntry(mac: $0, destination: $1).description }
            + nextHops.values.map(\.description)
            + routes.map { Route(destination: $0, path: $1).description }
        return lines.sorted().joined(separator: "\n")
    }
}
