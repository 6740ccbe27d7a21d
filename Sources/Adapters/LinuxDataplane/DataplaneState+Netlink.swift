// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

extension DataplaneState {
    mutating func take(_ message: NeighborMessage) {
        guard message.state.contains(.permanent), let mac = message.mac,
            let address = message.destination.flatMap(Address.init(family:))
        else { return }
        if message.table == .fdb {
            guard message.isInOwnTable else { return }
            // To another port, VNI or interface than the device's is to nowhere that we send, and there to be replaced.
            fdb[mac] = message.leavesAsTheDeviceDoes ? address : Address(bits: 0)
        } else {
            neighbors[address] = mac
        }
    }

    mutating func take(_ message: NextHopMessage, _ devices: EgressDevices) {
        guard message.origin == LinuxDataplaneDriver.origin else { return }
        let id = NextHopID(message.id)
        // One of our mark that we would not make is there to be replaced or removed.
        guard let gateway = message.gateway.flatMap(Address.init(family:)), message.isOnLink, !message.isOther else {
            if message.isOfFamily(Address.self) {
                nextHops[id] = NextHop(id: id, gateway: Address(bits: 0), device: .other)
            }
            return
        }
        nextHops[id] = NextHop(id: id, gateway: gateway, device: devices.device(at: message.device))
    }

    mutating func take(_ message: RouteMessage, _ devices: EgressDevices) {
        guard message.origin == LinuxDataplaneDriver.origin, message.priority ?? 0 == 0,
            let prefix = message.prefix(of: Address.self)
        else { return }
        routes[prefix] = message.path(devices)
    }
}

extension RouteMessage {
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

extension NextHopMessage {
    fileprivate func isOfFamily<Address: BinaryAddress>(_ type: Address.Type) -> Bool {
        // A blackhole has no gateway to tell the family by; ours are of the first family to see them.
        gateway.map { Address(family: $0) != nil } ?? (Address.self == IPv4Address.self)
    }
}

extension BinaryAddress {
    /// The address if it is of this family.
    fileprivate init?(family address: IPAddress) {
        switch address {
        case .v4(let address as Self), .v6(let address as Self): self = address
        default: return nil
        }
    }
}
