// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// An entry about which the kernel and the leases differ.
package struct PendingEntry: Hashable, Sendable {
    /// Which one, as ``EntryKey`` describes it: the same in every list of entries.
    package let key: String
    /// The entry as it should be; `nil`: it should not be.
    package let wanted: String?
    /// The entry as the kernel has it; `nil`: it has none.
    package let present: String?
    /// What a person would type to mend it.
    package let commands: [String]

    package init(key: String, wanted: String?, present: String?, commands: [String]) {
        self.key = key
        self.wanted = wanted
        self.present = present
        self.commands = commands
    }
}

extension DataplaneTracker {
    /// What is still to be done, in the order of ``plan(removing:except:)``, the first so many.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package func pendingEntries(limit: Int, _ devices: DeviceNames) -> [PendingEntry] {
        guard hasPending, limit > 0 else { return [] }
        return plan(removing: true).prefix(limit).map { operation in
            PendingEntry(
                key: operation.key.description, wanted: operation.wantedEntry, present: presentEntry(operation.key),
                commands: operation.commands(devices))
        }
    }

    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    private func presentEntry(_ key: EntryKey<Address>) -> String? {
        switch key {
        case .neighbor(let address):
            neighbors.seen(address).map { Neighbor(address: address, mac: $0).description }
        case .fdb(let mac): fdb.seen(mac).map { FDBEntry(mac: mac, destination: $0).description }
        case .nextHop(let id): nextHops.seen(id)?.description
        case .route(let prefix): routes.seen(prefix).map { Route(destination: prefix, path: $0).description }
        }
    }
}

extension Operation {
    fileprivate var wantedEntry: String? {
        switch self {
        case .setNeighbor(let entry): entry.description
        case .setFDBEntry(let entry): entry.description
        case .setNextHop(let entry, _): entry.description
        case .setRoute(let route, _): route.description
        case .removeNeighbor, .removeFDBEntry, .removeNextHop, .removeRoute: nil
        }
    }
}

extension PeerEntries {
    /// Each entry that the peer needs, with its key as ``EntryKey`` describes it, in the order in which a packet meets
    /// them: route, next hop, neighbour, forwarding entry.
    package var described: [(key: String, entry: String)] {
        var all: [(key: String, entry: String)] = []
        func add(_ key: EntryKey<Address>, _ entry: some CustomStringConvertible) {
            all.append((key.description, entry.description))
        }
        add(.route(route.destination), route)
        if let nextHop { add(.nextHop(nextHop.id), nextHop) }
        if let neighbor { add(.neighbor(neighbor.address), neighbor) }
        if let fdb { add(.fdb(fdb.mac), fdb) }
        return all
    }
}
