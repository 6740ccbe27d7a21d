// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText
import Leases
import Netlink

/// ADD: an address, a link to the bridge, the routes.
///
/// The order is what makes a killed process harmless: a link is there only while its addresses are in the store, so
/// that whoever frees the addresses (DEL, GC) also finds the link. An error takes back what was done.
struct Add {
    let configuration: NetworkConfiguration
    let invocation: Invocation

    private var attachment: Attachment {
        Attachment(containerID: invocation.containerID, interface: invocation.interface)
    }

    func run() throws(PluginError) -> JSONValue {
        let subnet = try NodeSubnet(configuration.subnetFile)
        try subnet.checkHeld()
        let dns = try nameResolution()
        let namespace = try PodNamespace.open(invocation.namespace)
        let addresses = try reserve(subnet.pools)
        do throws(PluginError) {
            var result = try wire(addresses, subnet, namespace)
            result.dns = dns
            return result.json(configuration.version, behind: configuration.previous)
        } catch {
            try? release()
            throw error
        }
    }

    /// The configuration's own word before that of `ipam.resolvConf`.
    private func nameResolution() throws(PluginError) -> DNSSettings {
        guard configuration.dns.isEmpty, let path = configuration.resolvConf else { return configuration.dns }
        guard let text = try Disk.read(path) else {
            throw PluginError(.inputOutput, "\(path) is not there; correct ipam.resolvConf")
        }
        return DNSSettings(resolvConf: String(decoding: text, as: UTF8.self))
    }

    private func reserve(_ pools: [AddressPool]) throws(PluginError) -> [IPAddress] {
        var store = try AddressStore.open(configuration.addressFolder)
        return try store.reserve(for: attachment, from: pools, requested: configuration.requestedAddresses)
    }

    private func release() throws(PluginError) {
        var store = try AddressStore.open(configuration.addressFolder)
        try store.release(attachment)
    }

    private func wire(
        _ addresses: [IPAddress], _ subnet: NodeSubnet, _ namespace: borrowing PodNamespace
    ) throws(PluginError) -> AddResult {
        var host = try kernel("opening netlink") { () throws(NetlinkError) in try RouteConnection() }
        let mtu = configuration.bridge.mtu ?? UInt32(subnet.file.mtu)
        var bridge = try Bridge(configuration.bridge, mtu: mtu, &host)
        if configuration.bridge.isGateway { try bridge.setGateways(subnet, &host) }
        let link = PodLink(attachment, network: configuration.name, requestedMAC: configuration.requestedMAC)
        try link.make(on: &bridge, in: namespace.pod, &host)
        let result = result(addresses, subnet, bridge, link)
        let masquerade = Masquerade(configuration)
        let masquerades = configuration.bridge.masquerade ?? !subnet.file.masquerade
        do throws(PluginError) {
            if masquerades { try masquerade.add(addresses, subnet) }
            try namespace.inside { () throws(PluginError) in try link.configure(result, &host) }
        } catch {
            try link.remove()
            if masquerades { try? masquerade.remove(addresses) }
            throw error
        }
        return result
    }

    private func result(
        _ addresses: [IPAddress], _ subnet: NodeSubnet, _ bridge: Bridge, _ link: PodLink
    ) -> AddResult {
        var result = AddResult()
        result.interfaces = [
            .init(name: configuration.bridge.name, mac: bridge.link.mac, mtu: bridge.link.mtu),
            .init(name: link.name, mac: link.hostMAC, mtu: bridge.mtu),
            .init(
                name: invocation.interface, mac: link.podMAC, mtu: bridge.mtu, sandbox: invocation.namespace),
        ]
        for (address, pool) in zip(addresses, subnet.pools) {
            result.addresses.append(
                .init(
                    address: AddressWithLength(address, length: pool.length), gateway: pool.gateway, interface: 2))
        }
        result.routes = configuration.routes + subnet.networks.map { PodRoute(destination: $0) }
        guard configuration.bridge.isDefaultGateway else { return result }
        for pool in subnet.pools {
            let everything = pool.isIPv6 ? AddressWithLength.everythingIPv6 : .everythingIPv4
            let isThere = result.routes.contains { $0.gateway != nil && $0.destination == everything }
            if !isThere { result.routes.append(PodRoute(destination: everything, gateway: pool.gateway)) }
        }
        return result
    }
}
