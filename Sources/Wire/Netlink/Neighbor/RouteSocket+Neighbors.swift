// SPDX-License-Identifier: Apache-2.0

extension RouteSocket {
    package func neighbors(
        _ table: NeighborMessage.Table, device: UInt32
    ) throws(NetlinkError) -> [NeighborMessage] {
        try list(NeighborMessage(table: table, device: device))
    }

    /// Makes the entry, or puts it in place of the one that its key has: a neighbour's address, an FDB entry's MAC.
    package func setNeighbor(_ neighbor: NeighborMessage) throws(NetlinkError) {
        try perform(.new, neighbor, [.create, .replace])
    }

    /// Success also where there is none such.
    package func removeNeighbor(_ neighbor: NeighborMessage) throws(NetlinkError) { try remove(neighbor) }
}
