// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import IPAddressing
import Netlink

extension LabCluster {
    /// The namespace with the bridge that takes the place of the machines' common network.
    func makeSwitch() async throws {
        try NetworkNamespace.create(name: description.etcd.namespace)
        let door = try RouteSocket(in: try NetworkNamespace(name: description.etcd.namespace))
        let bridge = try await door.addLink(
            LinkMessage(name: "br0", isUp: true, mac: Self.randomMAC, kind: .bridge))
        try await door.addAddress(
            .v4(settings.bridgeAddress), prefixLength: settings.underlay.length, to: bridge.index)
    }

    /// A namespace of its own for one of several members of etcd.
    func makeMember(_ number: Int) async throws {
        try await makeMachine(.etcd(number), address: settings.address(ofMember: number))
    }

    /// A namespace that stands for a machine, wired to the switch.
    private func makeMachine(_ place: LabPlace, address: IPv4Address) async throws {
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
            inside, address: address, length: settings.underlay.length, gateway: settings.bridgeAddress, mtu: nil)
    }

    /// A machine and its daemon.
    func makeNode(_ number: Int) async throws {
        let place = LabPlace.node(number)
        let namespace = settings.name.namespace(of: place)
        let address = settings.address(ofNode: number)
        try await makeMachine(place, address: address)
        try forward(in: namespace)
        try folder.makeDirectory("\(place)/state")
        try folder.makeDirectory("\(place)/cni")
        let path = "\(folder.path)/\(place)"
        description.nodes.append(
            LabDescription.Node(
                name: "\(place)", namespace: namespace, address: "\(address)", server: "unix:\(path)/api.sock",
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
        _ door: RouteSocket, address: IPv4Address, length: UInt8, gateway: IPv4Address, mtu: UInt32?
    ) async throws {
        guard let link = try await door.link(named: "eth0") else { throw LabFault(.failed, "eth0 did not arrive") }
        try await door.change(LinkMessage(index: link.index, isUp: true, mtu: mtu))
        try await door.addAddress(.v4(address), prefixLength: length, to: link.index)
        try await door.addDefaultRoute(via: .v4(gateway))
    }

    /// A node passes on what is not for itself: its pods' packets.
    private func forward(in namespace: String) throws {
        let isDone = try NetworkNamespace(name: namespace).run { () throws(NetlinkError) -> Bool in
            let file = unsafe open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return false }
            defer { close(file) }
            return unsafe write(file, "1", 1) == 1
        }
        if !isDone { throw LabFault(.failed, "forwarding can't be turned on in \(namespace); is /proc/sys writable?") }
    }

    static var randomMAC: MACAddress { MACAddress(locallyAdministered: .random(in: 0 ... .max)) }
}
