// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Netlink

extension LabCluster {
    /// The namespace with the bridge that takes the place of the machines' common network.
    func makeSwitch() async throws {
        try NetworkNamespace.create(name: description.etcd.namespace)
        let door = try RouteSocket(in: try NetworkNamespace(name: description.etcd.namespace))
        let bridge = try await door.addLink(
            LinkMessage(name: "br0", isUp: true, mac: Self.randomMAC, kind: .bridge))
        for address in underlayAddresses(settings.bridgeAddress, settings.ipv6Address(1)) {
            try await door.addAddress(address.0, prefixLength: address.1, to: bridge.index, isAskedFor: false)
        }
    }

    /// Those of the lab's families, each with its network's length.
    private func underlayAddresses(_ ipv4: IPv4Address, _ ipv6: IPv6Address) -> [(IPAddress, UInt8)] {
        (settings.families.hasIPv4 ? [(.v4(ipv4), settings.underlay.length)] : [])
            + (settings.families.hasIPv6 ? [(.v6(ipv6), LabSettings.ipv6Underlay.length)] : [])
    }

    /// A namespace of its own for one of several members of etcd.
    func makeMember(_ number: Int) async throws {
        try await makeMachine(
            .etcd(number), settings.address(ofMember: number), settings.ipv6Address(1 + number))
    }

    /// A namespace that stands for a machine, wired to the switch.
    private func makeMachine(_ place: LabPlace, _ ipv4: IPv4Address, _ ipv6: IPv6Address) async throws {
        let namespace = settings.name.namespace(of: place)
        try NetworkNamespace.create(name: namespace)
        let outside = try RouteSocket(in: try NetworkNamespace(name: description.etcd.namespace))
        guard let bridge = try await outside.link(named: "br0") else {
            throw LabFault(.failed, "the lab's bridge is gone")
        }
        try await wire("\(place)", of: outside, to: namespace, master: bridge.index)
        try await outside.change(LinkMessage(name: "\(place)", isUp: true))
        let inside = try RouteSocket(in: try NetworkNamespace(name: namespace))
        try await configure(
            inside, underlayAddresses(ipv4, ipv6),
            gateways: underlayAddresses(settings.bridgeAddress, settings.ipv6Address(1)).map(\.0), mtu: nil)
    }

    /// A machine and its daemon.
    func makeNode(_ number: Int) async throws {
        let place = LabPlace.node(number)
        let namespace = settings.name.namespace(of: place)
        let (ipv4, ipv6) = (settings.address(ofNode: number), settings.ipv6Address(ofNode: number))
        try await makeMachine(place, ipv4, ipv6)
        try forward(in: namespace)
        try folder.makeDirectory("\(place)/state")
        try folder.makeDirectory("\(place)/cni")
        let path = "\(folder.path)/\(place)"
        description.nodes.append(
            LabDescription.Node(
                name: "\(place)", namespace: namespace, address: settings.families.hasIPv4 ? "\(ipv4)" : "\(ipv6)",
                ipv6Address: settings.families.hasIPv6 ? "\(ipv6)" : nil, server: "unix:\(path)/api.sock",
                subnetFile: "\(path)/subnet.env", conflist: "\(path)/cni/10-tartan.conflist",
                stateDir: "\(path)/state", log: "\(path)/tartand.log"))
        try await startDaemon("\(place)")
    }

    /// A veth pair: one end here under the other's name and on a bridge, the other end there as `eth0`.
    private func wire(
        _ name: String, of door: RouteSocket, to namespace: String, master: UInt32
    ) async throws {
        let target = try NetworkNamespace(name: namespace)
        let descriptor = target.descriptor
        try await door.addVETH(name, peer: VETHPeer(name: "eth0", namespace: descriptor), master: master)
        // Until here the namespace must be open.
        _ = consume target
    }

    private func configure(
        _ door: RouteSocket, _ addresses: [(IPAddress, UInt8)], gateways: [IPAddress], mtu: UInt32?
    ) async throws {
        guard let link = try await door.link(named: "eth0") else { throw LabFault(.failed, "eth0 did not arrive") }
        try await door.change(LinkMessage(index: link.index, isUp: true, mtu: mtu))
        for (address, length) in addresses {
            try await door.addAddress(address, prefixLength: length, to: link.index, isAskedFor: false)
        }
        for gateway in gateways { try await door.addDefaultRoute(via: gateway, device: link.index) }
    }

    /// A node passes on what is not for itself: its pods' packets.
    private func forward(in namespace: String) throws {
        let namespaceOfNode = try NetworkNamespace(name: namespace)
        for setting in ["ipv4/ip_forward"] + (settings.families.hasIPv6 ? ["ipv6/conf/all/forwarding"] : []) {
            guard try namespaceOfNode.set(setting, to: "1") else {
                throw LabFault(.failed, "forwarding can't be turned on in \(namespace): there is no net/\(setting)")
            }
        }
    }

    static var randomMAC: MACAddress { MACAddress(locallyAdministered: .random(in: 0 ... .max)) }
}
