// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPAddressing
import Netlink

/// The pair of links between a pod and the bridge.
struct PodLink {
    let attachment: Attachment
    /// The host's end.
    let name: String
    let hostMAC: MACAddress
    let podMAC: MACAddress

    init(_ attachment: Attachment, network: String, requestedMAC: MACAddress?) {
        self.attachment = attachment
        name = attachment.hostLink(network: network)
        hostMAC = MACAddress(locallyAdministered: .random(in: 0 ... .max))
        podMAC = requestedMAC ?? MACAddress(locallyAdministered: .random(in: 0 ... .max))
    }

    private enum Step: Sendable {
        case link(LinkMessage)
        case change(LinkMessage)
        case address(AddressMessage)
        case route(RouteMessage)

        func encode(into batch: inout NetlinkBatch) {
            switch self {
            case .link(let link): batch.add(.new, link, [.create, .exclusive])
            case .change(let link): batch.add(.new, link)
            case .address(let address): batch.add(.new, address, [.create, .exclusive])
            case .route(let route): batch.add(.new, route, [.create, .exclusive])
            }
        }

        var what: String {
            switch self {
            case .link(let link), .change(let link): link.description
            case .address(let address): address.description
            case .route(let route): route.description
            }
        }
    }

    /// Makes both ends, the pod's in its namespace and set down, the host's a port of the bridge: one send. Nothing is
    /// left where that fails.
    func make(
        on bridge: inout Bridge, in pod: borrowing NetworkNamespace, _ host: inout RouteConnection
    ) throws(PluginError) {
        let peer = VETHPeer(name: attachment.interface, mac: podMAC, mtu: bridge.mtu, namespace: pod.descriptor)
        let pair = LinkMessage(
            name: name, isUp: true, mac: hostMAC, mtu: bridge.mtu, master: bridge.link.index, kind: .veth(peer))
        var steps = [Step.link(pair)]
        if bridge.options.isHairpin {
            var port = LinkMessage(name: name)
            port.isHairpin = true
            steps.append(.change(port))
        }
        let what = "making \(attachment.interface) in the container"
        if let failure = host.apply(steps, { $0.encode(into: &$1) }).first {
            if failure.index > 0 { try remove() }
            try bridge.verify(&host)
            guard failure.error.isExistence else { throw PluginError(failure.error, doing: what) }
            throw PluginError(.alreadyAdded, "\(what) did not work: there is one of that name; delete it first")
        }
        guard bridge.options.vlan != 0 else { return }
        do throws(PluginError) {
            try joinVLAN(bridge.options.vlan, &host)
        } catch {
            try remove()
            throw error
        }
    }

    private func joinVLAN(_ vlan: UInt16, _ host: inout RouteConnection) throws(PluginError) {
        guard let end = try host.find(name) else { return }
        try kernel("putting \(name) into VLAN \(vlan)") { () throws(NetlinkError) in
            try host.perform(.set, BridgeVLANMessage(index: end.index, vlan: vlan, isUntagged: true))
        }
    }

    /// Takes both ends away; success also where they are gone.
    func remove() throws(PluginError) { _ = try removeLink(name) }

    /// Sets the pod's end up with its addresses and routes in one send, waits for the bridge, and has the kernel say
    /// where the addresses are now. Called inside the pod's namespace.
    func configure(_ result: AddResult, _ host: inout RouteConnection) throws(PluginError) {
        var pod = try kernel("opening netlink in the container") { () throws(NetlinkError) in try RouteConnection() }
        let interface = attachment.interface
        let seen = try kernel("looking at \(interface) in the container") { () throws(NetlinkError) in
            try pod.look(at: interface)
        }
        guard let link = seen else {
            throw PluginError(.tryAgain, "\(attachment.interface) vanished from the container as it was set up")
        }
        try setUp(hasIPv6: result.addresses.contains { $0.address.address.isIPv6 })
        let steps = steps(result, link.index)
        // A route that is there, another network's default route above all, stays.
        for failure in pod.apply(steps, { $0.encode(into: &$1) }) {
            if case .route = steps[failure.index], failure.error.isExistence { continue }
            throw PluginError(failure.error, doing: "\(steps[failure.index].what) in the container")
        }
        try waitUntilCarrying(&host)
        // The kernel announces an interface's addresses (RFC 5227 section 2.3, RFC 4861 section 7.2.6) whenever somebody
        // sets its MAC address, also to what it was. A packet socket would do the same, and to close one takes the
        // kernel longer than all the rest.
        try kernel("announcing the addresses") { () throws(NetlinkError) in
            try pod.perform(.new, LinkMessage(index: link.index, mac: podMAC))
        }
    }

    private func setUp(hasIPv6: Bool) throws(PluginError) {
        try KernelSetting.interface("ipv4", attachment.interface, "arp_notify").set(1)
        guard hasIPv6 else { return }
        try KernelSetting.interface("ipv6", attachment.interface, "ndisc_notify").set(1)
        // Some runtimes turn IPv6 off in new namespaces.
        try KernelSetting.interface("ipv6", attachment.interface, "disable_ipv6").set(0)
        try KernelSetting.interface("ipv6", attachment.interface, "accept_dad").set(0)
    }

    private func steps(_ result: AddResult, _ index: UInt32) -> [Step] {
        var steps = [Step.change(LinkMessage(index: index, isUp: true))]
        for entry in result.addresses {
            var message = AddressMessage(
                index: index, address: entry.address.address, prefixLength: entry.address.length)
            message.broadcast = entry.address.broadcast
            // Nobody else can have it: it is the pod's from the first moment.
            if entry.address.address.isIPv6 { message.flags = AddressMessage.withoutDetection }
            steps.append(.address(message))
        }
        for route in result.routes {
            let gateway = result.addresses.first {
                $0.address.address.isIPv6 == route.destination.address.isIPv6
            }?.gateway
            steps.append(.route(route.message(device: index, gateway: gateway)))
        }
        return steps
    }

    /// Waits until the host's end carries packets: until then the bridge drops what comes in by it. The kernel sets
    /// that on another thread, a moment after both ends are up, and says "running" also of what it has not looked at.
    private func waitUntilCarrying(_ host: inout RouteConnection) throws(PluginError) {
        var pause: UInt32 = 50
        var waited: UInt32 = 0
        while true {
            let seen = try kernel("looking at \(name)") { () throws(NetlinkError) in try host.look(at: name) }
            guard let seen else { throw PluginError(.tryAgain, "\(name) vanished as it was set up") }
            if seen.isRunning, try host.find(name)?.isOperational == true { return }
            guard waited < 2_500_000 else {
                throw PluginError(.kernel, "\(name) has no carrier 2.5 s after both its ends were set up")
            }
            usleep(pause)
            waited += pause
            pause = min(pause * 2, 2_000)
        }
    }
}

extension AddressWithLength {
    var broadcast: IPv4Address? {
        guard case .v4(let address) = address else { return nil }
        return IPv4Prefix(address, length: Int(length))?.last
    }
}

extension AddressPool {
    var broadcast: IPv4Address? {
        guard case .v4(let pool) = self else { return nil }
        return pool.subnet.last
    }
}
