// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

extension Operation {
    /// Writes the message that does it, or the two.
    func put(into batch: inout NetlinkBatch, _ devices: EgressDevices) {
        switch self {
        case .setNeighbor(let entry):
            batch.add(.new, entry.message(devices), [.create, .replace])
        case .removeNeighbor(let address):
            batch.add(
                .delete, NeighborMessage(address: IPAddress(address), mac: nil, device: devices.index(of: .vxlan)))
        case .setFDBEntry(let entry):
            batch.add(.new, entry.message(devices), [.create, .replace])
        case .removeFDBEntry(let entry):
            // Of one station's MAC address the kernel has one destination: it need not be said.
            batch.add(.delete, NeighborMessage(fdb: entry.mac, destination: nil, device: devices.index(of: .vxlan)))
        case .setNextHop(let entry, let replacing):
            batch.add(.new, entry.message(devices), replacing ? [.create, .replace] : [.create, .exclusive])
        case .removeNextHop(let id):
            batch.add(.delete, NextHopMessage(id: id.value))
        case .setRoute(let route, let replacing):
            // The kernel's own replacing takes whatever route is first there, be it another program's (net/ipv4:
            // `fib_table_insert`). In one send the two are as good as one; a peer's next hop changes without either.
            if replacing { batch.add(.delete, route.removal) }
            batch.add(.new, route.message(devices), [.create, .exclusive])
        case .removeRoute(let route):
            batch.add(.delete, route.removal)
        }
    }

    /// Whether the kernel's refusal says that there is nothing to do: what should go is not there, be it only to be
    /// replaced.
    func isSettled(by error: NetlinkError) -> Bool {
        switch self {
        case .removeNeighbor, .removeFDBEntry, .removeNextHop, .removeRoute: error.isAbsence
        case .setRoute(_, replacing: true): error.number == .noProcess
        case .setNeighbor, .setFDBEntry, .setNextHop, .setRoute: false
        }
    }
}

extension Neighbor {
    fileprivate func message(_ devices: EgressDevices) -> NeighborMessage {
        NeighborMessage(address: IPAddress(address), mac: mac, device: devices.index(of: .vxlan))
    }
}

extension FDBEntry {
    fileprivate func message(_ devices: EgressDevices) -> NeighborMessage {
        NeighborMessage(fdb: mac, destination: IPAddress(destination), device: devices.index(of: .vxlan))
    }
}

extension NextHop {
    fileprivate func message(_ devices: EgressDevices) -> NextHopMessage {
        NextHopMessage(
            id: id.value, gateway: IPAddress(gateway), device: devices.index(of: device),
            origin: LinuxDataplaneDriver.origin, isOnLink: true)
    }
}

extension Route {
    fileprivate func message(_ devices: EgressDevices) -> RouteMessage {
        let address = IPAddress(destination.address)
        switch path {
        case .nextHop(let id):
            return RouteMessage(
                destination: address, prefixLength: destination.length, nextHop: id.value,
                origin: LinuxDataplaneDriver.origin)
        case .gateway(let gateway, let device):
            return RouteMessage(
                destination: address, prefixLength: destination.length, gateway: IPAddress(gateway),
                device: devices.index(of: device), origin: LinuxDataplaneDriver.origin, isOnLink: true)
        }
    }

    /// The route of ours to that destination, whatever its path: the kernel compares the protocol, so that another's
    /// is not taken for it.
    fileprivate var removal: RouteMessage {
        var message = RouteMessage(
            destination: IPAddress(destination.address), prefixLength: destination.length,
            origin: LinuxDataplaneDriver.origin)
        message.scope = .nowhere
        message.kind = .unspecified
        return message
    }
}
