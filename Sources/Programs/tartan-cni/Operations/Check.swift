// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Netlink

/// CHECK: whether all that ADD made is there, as the ADD's result says it.
///
/// What another plugin of the chain put into the result is its own to check: here counts what is on the container's
/// interface of this name, the bridge, and the link between.
struct Check {
    let configuration: NetworkConfiguration
    let invocation: Invocation

    private var attachment: Attachment {
        Attachment(containerID: invocation.containerID, interface: invocation.interface)
    }

    func run() throws(PluginError) {
        guard let previous = configuration.previous else {
            throw PluginError(.badConfiguration, "CHECK needs prevResult, the result of the ADD")
        }
        let expected = try AddResult(previous: previous)
        let index = expected.interfaces.firstIndex {
            $0.name == invocation.interface && $0.sandbox == invocation.namespace
        }
        guard let index else {
            throw PluginError(
                .mismatch, "prevResult has no interface \(invocation.interface) in \(invocation.namespace)")
        }
        let addresses = expected.addresses.filter { ($0.interface ?? index) == index }
        try checkAddresses(addresses.map(\.address))
        let namespace = try PodNamespace.open(invocation.namespace)
        let peer = try namespace.inside { () throws(PluginError) in
            try checkPod(expected, expected.interfaces[index], addresses)
        }
        try checkHost(expected, peer)
    }

    /// The subnet is still the one of the addresses, and the store still says whose they are.
    private func checkAddresses(_ addresses: [AddressWithLength]) throws(PluginError) {
        let subnet = try NodeSubnet(configuration.subnetFile)
        try subnet.checkHeld()
        let store = try AddressStore.open(configuration.addressFolder)
        for entry in addresses {
            guard subnet.pools.contains(where: { $0.contains(entry.address) && $0.length == entry.length }) else {
                throw PluginError(
                    .mismatch,
                    "\(entry) is not of this node's subnet \(subnet.pools.map(\.subnet).joined(separator: ", ")), "
                        + "which changed since the pod was made; start the pod anew")
            }
            guard let owner = store.owners[entry.address] ?? nil, owner.owns(for: attachment) else {
                throw PluginError(
                    .mismatch,
                    "\(entry.address) is not kept for \(invocation.interface) of this container in "
                        + "\(configuration.addressFolder); start the pod anew")
            }
        }
    }

    /// Inside the container: the interface, its addresses, the routes. Returns the index of its other end.
    private func checkPod(
        _ expected: AddResult, _ interface: AddResult.Interface, _ addresses: [AddResult.Address]
    ) throws(PluginError) -> UInt32 {
        var pod = try kernel("opening netlink in the container") { () throws(NetlinkError) in try RouteConnection() }
        guard let link = try pod.find(interface.name), case .veth? = link.kind, let peer = link.underlay else {
            throw PluginError(.mismatch, "the container has no interface \(interface.name) of kind veth")
        }
        try checkLink(link, interface, "the container's")
        let seen = try kernel("reading the container's addresses") { () throws(NetlinkError) in
            try pod.dump(AddressMessage(index: link.index))
        }
        for entry in addresses.map(\.address) {
            let isThere = seen.contains {
                $0.index == link.index && $0.address == entry.address && $0.prefixLength == entry.length
            }
            guard isThere else { throw PluginError(.mismatch, "\(interface.name) of the container has not \(entry)") }
        }
        for route in expected.routes { try checkRoute(route, &pod) }
        return peer
    }

    private func checkRoute(_ route: PodRoute, _ pod: inout RouteConnection) throws(PluginError) {
        let isIPv6 = route.destination.address.isIPv6
        let seen = try kernel("reading the container's routes") { () throws(NetlinkError) in
            try pod.dump(RouteMessage.filter(ipv6: isIPv6, table: route.table ?? RouteMessage.mainTable))
        }
        let isThere = seen.contains {
            $0.prefixLength == route.destination.length
                && (route.destination.length == 0 || $0.destination == route.destination.address)
                && (route.gateway == nil || $0.gateway == route.gateway)
        }
        guard isThere else {
            let way = route.gateway.map { " via \($0)" } ?? ""
            throw PluginError(.mismatch, "the container has no route to \(route.destination)\(way)")
        }
    }

    /// On the host: the bridge with the gateway's addresses, and the link's other end on it.
    private func checkHost(_ expected: AddResult, _ peer: UInt32) throws(PluginError) {
        var host = try kernel("opening netlink") { () throws(NetlinkError) in try RouteConnection() }
        let options = configuration.bridge
        guard let bridge = try host.find(options.name), bridge.kind == .bridge else {
            throw PluginError(.mismatch, "the host has no bridge \(options.name)")
        }
        let known = expected.interfaces.first { $0.name == options.name && $0.sandbox == nil }
        try checkLink(bridge, known ?? .init(name: options.name), "the host's")
        if options.isGateway { try checkGateway(bridge, &host) }
        let end: LinkMessage
        do throws(NetlinkError) {
            end = try host.get(LinkMessage(index: peer))
        } catch {
            throw PluginError(
                .mismatch, "the host has not the other end of \(invocation.interface)", details: "\(error)")
        }
        guard end.master == bridge.index else {
            throw PluginError(.mismatch, "\(end.name ?? "") is not a port of \(options.name)")
        }
        let entry = expected.interfaces.first { $0.name == end.name && $0.sandbox == nil }
        try checkLink(end, entry ?? .init(name: end.name ?? ""), "the host's")
    }

    private func checkGateway(_ bridge: LinkMessage, _ host: inout RouteConnection) throws(PluginError) {
        let options = configuration.bridge
        let name = options.vlan == 0 ? options.name : "\(options.name).\(options.vlan)"
        guard let link = try host.find(name) else {
            throw PluginError(.mismatch, "the host has no interface \(name)")
        }
        let seen = try kernel("reading the addresses of \(name)") { () throws(NetlinkError) in
            try host.dump(AddressMessage(index: link.index))
        }
        for pool in try NodeSubnet(configuration.subnetFile).pools {
            guard seen.contains(where: { $0.index == link.index && $0.address == pool.gateway }) else {
                throw PluginError(.mismatch, "\(name) has not the gateway's address \(pool.gateway)")
            }
        }
    }

    private func checkLink(
        _ link: LinkMessage, _ expected: AddResult.Interface, _ whose: String
    ) throws(PluginError) {
        guard link.isUp == true else {
            throw PluginError(.mismatch, "\(whose) interface \(expected.name) is set down")
        }
        guard expected.mac == nil || link.mac == expected.mac else {
            let mac = link.mac.map { "\($0)" } ?? "none"
            throw PluginError(
                .mismatch, "\(whose) interface \(expected.name) has another MAC address than prevResult: \(mac)")
        }
    }
}
