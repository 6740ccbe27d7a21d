// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

extension DataplaneState where Address: TrackedAddress {
    mutating func take(_ message: NeighborMessage) {
        guard message.state.contains(.permanent), let mac = message.mac,
            let address = message.destination.flatMap(Address.init(family:))
        else { return }
        if message.table == .fdb {
            guard message.isInOwnTable else { return }
            // To another port, VNI or interface than the device's is to nowhere that we send, and there to be replaced.
            fdb[mac] = message.leavesAsTheDeviceDoes ? address : Address(bits: 0)
        } else if message.table == Address.neighborTable {
            neighbors[address] = mac
        }
    }

    mutating func take(_ message: NextHopMessage, _ devices: EgressDevices) {
        let id = NextHopID(message.id)
        guard message.origin == LinuxDataplaneDriver.origin, id.isIPv6 == (Address.neighborTable == .ipv6) else {
            return
        }
        // One of our mark that we would not make is there to be replaced or removed.
        guard let gateway = message.gateway.flatMap(Address.init(family:)), message.isOnLink, !message.isOther else {
            nextHops[id] = NextHop(id: id, gateway: Address(bits: 0), device: .other)
            return
        }
        nextHops[id] = NextHop(id: id, gateway: gateway, device: devices.device(at: message.device))
    }

    mutating func take(_ message: RouteMessage, _ devices: EgressDevices) {
        guard message.origin == LinuxDataplaneDriver.origin, message.hasStandardPriority(Address.self),
            let prefix = message.prefix(of: Address.self)
        else { return }
        routes[prefix] = message.path(devices)
    }
}

extension RouteMessage {
    /// Ours have no other; one of another priority is a second route, and not ours to judge.
    func hasStandardPriority<Address: TrackedAddress>(_ type: Address.Type) -> Bool {
        priority ?? Address.standardPriority == Address.standardPriority
    }

    func prefix<Address: BinaryAddress>(of type: Address.Type) -> Prefix<Address>? {
        let address = destination.map(Address.init(family:)) ?? Address(bits: 0)
        return address.flatMap { Prefix($0, length: Int(prefixLength)) }
    }

    func path<Address: BinaryAddress>(_ devices: EgressDevices) -> Route<Address>.Path {
        if let nextHop { return .nextHop(NextHopID(nextHop)) }
        guard kind == .unicast, isOnLink, !isMultipath, let gateway = gateway.flatMap(Address.init(family:)) else {
            return .gateway(Address(bits: 0), .other)
        }
        return .gateway(gateway, devices.device(at: device))
    }
}

extension BinaryAddress {
    /// The address if it is of this family.
    init?(family address: IPAddress) {
        switch address {
        case .v4(let address as Self), .v6(let address as Self): self = address
        default: return nil
        }
    }
}
