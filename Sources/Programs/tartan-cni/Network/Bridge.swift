// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Netlink

/// The bridge that the node's pods hang on, made or adopted.
///
/// Sixteen of these processes may do this at once: what is there already is a success, whoever made it.
struct Bridge {
    let options: BridgeOptions
    let mtu: UInt32
    private(set) var link: LinkMessage
    /// The interface that has the gateway's addresses: the bridge itself, or the VLAN's on it.
    private(set) var gateway: LinkMessage

    /// Finds the bridge, or makes it.
    init(_ options: BridgeOptions, mtu: UInt32, _ host: inout RouteConnection) throws(PluginError) {
        self.options = options
        self.mtu = mtu
        if let seen = try Self.look(options, host) {
            (link, gateway) = (seen, seen)
            return
        }
        if let found = try host.find(options.name) {
            link = found
        } else {
            link = try Self.make(options, mtu, &host)
        }
        gateway = link
        try checkKind()
        try adopt(&host)
        if options.vlan != 0 { gateway = try vlanInterface(&host) }
    }

    /// The bridge as it is when there is nothing to be done to it, without its kind, which who asks for waits for
    /// everybody else; `nil` where there is something.
    private static func look(
        _ options: BridgeOptions, _ host: borrowing RouteConnection
    ) throws(PluginError) -> LinkMessage? {
        guard options.isGateway, options.vlan == 0 else { return nil }
        let name = options.name
        guard let seen = try kernel("looking at \(name)", { () throws(NetlinkError) in try host.look(at: name) }),
            seen.isUp == true, seen.isPromiscuous == true || !options.isPromiscuous
        else { return nil }
        return seen
    }

    private func checkKind() throws(PluginError) {
        guard link.kind == .bridge else {
            throw PluginError(
                .badConfiguration, "\(options.name) is there but is no bridge; name another in \"bridge\" or remove it")
        }
    }

    /// Makes sure that it is a bridge, where it was only looked at: before anything is done to it, and where something
    /// did not work.
    mutating func verify(_ host: inout RouteConnection) throws(PluginError) {
        guard link.kind == nil else { return }
        guard let found = try host.find(options.name) else {
            throw PluginError(.tryAgain, "bridge \(options.name) vanished as a pod was added to it")
        }
        (link, gateway) = (found, found)
        try checkKind()
    }

    private static func make(
        _ options: BridgeOptions, _ mtu: UInt32, _ host: inout RouteConnection
    ) throws(PluginError) -> LinkMessage {
        // A MAC address that was set stays; one that was not is always the lowest of the ports', and changes with them.
        var link = LinkMessage(
            name: options.name, isUp: false, mac: MACAddress(locallyAdministered: .random(in: 0 ... .max)), mtu: mtu,
            kind: .bridge)
        link.isPromiscuous = options.isPromiscuous
        // Some kernels have no VLANs on bridges, and refuse to be told so.
        if options.vlan != 0 { link.filtersVLANs = true }
        do throws(NetlinkError) {
            try host.perform(.new, link, [.create, .exclusive])
            // The host's own routes are not what somebody on the bridge advertises.
            try? KernelSetting.interface("ipv6", options.name, "accept_ra").set(0)
            // Nobody else can have its link-local address, and while the kernel asks around for that (a second or two)
            // it does not look for a pod's either. Set up after this, as one that was found down.
            try? KernelSetting.interface("ipv6", options.name, "accept_dad").set(0)
        } catch {
            guard error.isExistence else { throw PluginError(error, doing: "making bridge \(options.name)") }
        }
        guard let made = try host.find(options.name) else {
            throw PluginError(.tryAgain, "bridge \(options.name) vanished as it was made")
        }
        return made
    }

    /// Sets what is not as configured on a bridge that was there.
    private func adopt(_ host: inout RouteConnection) throws(PluginError) {
        var change = LinkMessage(index: link.index)
        if link.isUp != true { change.isUp = true }
        if options.isPromiscuous, link.isPromiscuous != true { change.isPromiscuous = true }
        if options.vlan != 0 {
            change.kind = .bridge
            change.filtersVLANs = true
        }
        guard change != LinkMessage(index: link.index) else { return }
        try kernel("setting up bridge \(options.name)") { () throws(NetlinkError) in try host.perform(.new, change) }
    }

    /// The VLAN's interface of the host: one end of a veth pair whose other end is an access port of the bridge, as the
    /// reference plugin makes it.
    private func vlanInterface(_ host: inout RouteConnection) throws(PluginError) -> LinkMessage {
        let name = "\(options.name).\(options.vlan)"
        if let found = try host.find(name) { return found }
        let port = Attachment(containerID: name, interface: "").hostLink(network: "")
        let what = "making \(name)"
        do throws(NetlinkError) {
            let pair = LinkMessage(
                name: port, isUp: true, mtu: mtu, master: link.index, kind: .veth(VETHPeer(name: name, mtu: mtu)))
            try host.perform(.new, pair, [.create, .exclusive])
        } catch {
            guard error.isExistence else { throw PluginError(error, doing: what) }
        }
        guard let end = try host.find(port), let interface = try host.find(name) else {
            throw PluginError(.tryAgain, "\(name) vanished as it was made")
        }
        try kernel(what) { () throws(NetlinkError) in
            try host.perform(.set, BridgeVLANMessage(index: end.index, vlan: options.vlan, isUntagged: true))
            try host.perform(.new, LinkMessage(index: interface.index, isUp: true))
        }
        return interface
    }

    /// Gives the bridge the subnets' first addresses and lets the host forward.
    ///
    /// An address of the cluster network that is not one of these is a former subnet's: that subnet is another node's
    /// now, and the way there must not lead to this bridge, so it goes. Any other is somebody's decision, and goes only
    /// with `forceAddress`.
    mutating func setGateways(_ subnet: NodeSubnet, _ host: inout RouteConnection) throws(PluginError) {
        let (name, index) = (gateway.name ?? "", gateway.index)
        let seen = try kernel("reading the addresses of \(name)") { () throws(NetlinkError) in
            try host.dump(AddressMessage(index: index))
        }.filter { $0.index == index && $0.scope == .global }
        for pool in subnet.pools {
            let hasAddress = seen.contains { $0.address == pool.gateway && $0.prefixLength == pool.length }
            if !hasAddress { try verify(&host) }
            for old in seen where old.address?.isIPv6 == pool.isIPv6 && !(hasAddress && old.address == pool.gateway) {
                try replace(old, subnet, pool, &host)
            }
            if !hasAddress { try add(pool, &host) }
        }
        if subnet.pools.contains(where: { !$0.isIPv6 }) { try KernelSetting("ipv4/ip_forward").set(1) }
        if subnet.pools.contains(where: \.isIPv6) { try KernelSetting("ipv6/conf/all/forwarding").set(1) }
    }

    private func replace(
        _ old: AddressMessage, _ subnet: NodeSubnet, _ pool: AddressPool, _ host: inout RouteConnection
    ) throws(PluginError) {
        guard let address = old.address else { return }
        let isFormer = subnet.isInCluster(address)
        // Several IPv6 addresses on an interface are normal.
        if !isFormer, address.isIPv6 { return }
        guard isFormer || options.forceAddress else {
            throw PluginError(
                .badConfiguration,
                "\(gateway.name ?? options.name) has \(address)/\(old.prefixLength), which is not of the cluster network; "
                    + "remove it, name another bridge, or set forceAddress")
        }
        do throws(NetlinkError) {
            try host.perform(.delete, old)
        } catch {
            guard error.isAbsence else { throw PluginError(error, doing: "removing \(address)") }
        }
    }

    private func add(_ pool: AddressPool, _ host: inout RouteConnection) throws(PluginError) {
        var message = AddressMessage(index: gateway.index, address: pool.gateway, prefixLength: pool.length)
        message.broadcast = pool.broadcast
        if pool.isIPv6 { message.flags = AddressMessage.withoutDetection }
        do throws(NetlinkError) {
            try host.perform(.new, message, [.create, .exclusive])
            // The kernel keeps the MAC address of an adopted bridge only once somebody has set it.
            if let mac = gateway.mac { try host.perform(.new, LinkMessage(index: gateway.index, mac: mac)) }
        } catch {
            guard error.isExistence else {
                throw PluginError(error, doing: "giving \(gateway.name ?? "") the address \(pool.gateway)")
            }
        }
    }
}

extension RouteConnection {
    /// The link of that name; `nil` where there is none.
    mutating func find(_ name: String) throws(PluginError) -> LinkMessage? {
        do throws(NetlinkError) {
            return try get(LinkMessage(name: name))
        } catch {
            guard error.isAbsence else { throw PluginError(error, doing: "looking for \(name)") }
            return nil
        }
    }
}

/// Takes the link of that name away, in the namespace of the thread; `false` where there is none.
func removeLink(_ name: String) throws(PluginError) -> Bool {
    try kernel("removing \(name)") { () throws(NetlinkError) in
        var removal = try LinkRemoval()
        return try removal.remove(name)
    }
}
