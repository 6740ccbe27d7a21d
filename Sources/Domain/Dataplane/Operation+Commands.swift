// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// The names that the entries' devices have on this host.
package struct DeviceNames: Hashable, Sendable {
    package let vxlan: String
    package let underlay: String

    package init(vxlan: String, underlay: String) {
        self.vxlan = vxlan
        self.underlay = underlay
    }

    func name(of device: EgressDevice) -> String {
        switch device {
        case .vxlan: vxlan
        case .underlay: underlay
        case .other: "lo"
        }
    }
}

extension Operation {
    /// The lines of `ip` or `bridge` (iproute2) that do the same, in this order: what a person would type.
    ///
    /// What replaces says `replace`, what must not meet another program's says `add`, as the messages do. A route is
    /// taken out and put in, because the kernel's own replacing takes whichever route is first there.
    @specialized(where Address == IPv4Address)
    @specialized(where Address == IPv6Address)
    package func commands(_ devices: DeviceNames) -> [String] {
        let vxlan = devices.vxlan
        switch self {
        case .setNeighbor(let entry):
            return ["ip neigh replace \(entry.address) lladdr \(entry.mac) dev \(vxlan) nud permanent"]
        case .removeNeighbor(let address):
            return ["ip neigh del \(address) dev \(vxlan)"]
        case .setFDBEntry(let entry):
            return ["bridge fdb replace \(entry.mac) dev \(vxlan) dst \(entry.destination) self permanent"]
        case .removeFDBEntry(let entry):
            return ["bridge fdb del \(entry.mac) dev \(vxlan) self"]
        case .setNextHop(let entry, let replacing):
            let device = devices.name(of: entry.device)
            return [
                "ip nexthop \(replacing ? "replace" : "add") id \(entry.id) via \(entry.gateway) dev \(device) onlink"
                    + " protocol 116"
            ]
        case .removeNextHop(let id):
            return ["ip nexthop del id \(id)"]
        case .setRoute(let route, let replacing):
            let removal = "ip route del \(route.destination) protocol 116"
            let addition = "ip route add \(route.destination) \(route.path.words(devices)) protocol 116"
            return replacing ? [removal, addition] : [addition]
        case .removeRoute(let route):
            return ["ip route del \(route.destination) protocol 116"]
        }
    }
}

extension Route.Path {
    fileprivate func words(_ devices: DeviceNames) -> String {
        switch self {
        case .nextHop(let id): "nhid \(id)"
        case .gateway(let gateway, let device): "via \(gateway) dev \(devices.name(of: device)) onlink"
        }
    }
}
