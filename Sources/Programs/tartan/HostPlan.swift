// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dataplane
import FoundationEssentials
import IPAddressing
import Leases
import LinuxDataplane

/// What tartand would do to this host, without doing it: for hosts where it does not run yet, or not any more.
struct HostPlan {
    let nodeName: String
    let interfaces: [String]
    let publicIP: IPv4Address?
    let device: String?

    /// Lines of a shell script; a comment where there is something to be known.
    func lines(_ table: LeaseTable, _ config: NetworkConfig) async throws -> [String] {
        let driver = try LinuxDataplaneDriver()
        let underlay = try await driver.underlay(UnderlaySelection(interfaces: interfaces, publicIP: publicIP))
        let own = table.leases.first { $0.announcement.node?.name == nodeName }
        var lines: [String] = []
        if own == nil {
            lines.append("# node '\(nodeName)' has no lease: tartand would lease a subnet first; see --node-name")
        }
        var mac: MACAddress?
        var name = ""
        if case .vxlan(let vxlan) = config.backend {
            name = device ?? "tartan.\(vxlan.vni)"
            let present = try await driver.look(atDevice: name)
            if case .vxlan(let vtep?, _)? = own?.announcement.backend { mac = vtep.mac }
            mac = mac ?? present?.device.mac
            let wanted = VXLANDevice(
                name: name, config: vxlan, mac: mac ?? MACAddress(bits: 0), underlay: underlay,
                address: own.map { IPv4Prefix(host: $0.subnet.address) })
            lines += wanted.commands(
                from: present?.device, isUp: present?.isUp ?? false, underlay: underlay.name)
        }
        let local = LocalNode(
            node: NodeID(nodeName), publicIP: underlay.publicIP, mac: mac, key: own?.key, backend: config.backend,
            usesNextHops: try await driver.supportsNextHops(), addresses: try await driver.localAddresses(),
            networks: underlay.networks)
        var peers = PeerTable(local: local)
        peers.tracker.seeAll(try await driver.seen())
        var faults: PeerTable.Faults = [:]
        for lease in table.leases { peers.set(lease, for: lease.key, &faults) }
        for (key, fault) in faults.sorted(by: { $0.key < $1.key }) {
            if let fault, fault.isWorthReporting { lines.append("# \(key) would not be programmed: \(fault)") }
        }
        let names = DeviceNames(vxlan: name, underlay: underlay.name)
        return lines + peers.tracker.plan(removing: true).flatMap { $0.commands(names) }
    }
}

/// Which node this host is, for a plan that no daemon makes; the same names as tartand's.
struct HostPlanOptions: ParsableArguments {
    @Option(help: "Who this node is, for --plan with --etcd-endpoints. (default: the host name)")
    var nodeName: String?
    @Option(help: ArgumentHelp("The underlay, likewise.", valueName: "name"))
    var iface: [String] = []
    @Option(help: ArgumentHelp("The address that peers send to, likewise.", valueName: "address"))
    var publicIp: String?
    @Option(help: ArgumentHelp("The VXLAN device's name, likewise. (default: tartan.VNI)", valueName: "name"))
    var device: String?

    func plan() throws -> HostPlan {
        var address: IPv4Address?
        if let publicIp {
            do {
                address = try IPv4Address(parsing: publicIp)
            } catch {
                throw ProgramError(.usage, "--public-ip: \(error)")
            }
        }
        return HostPlan(
            nodeName: nodeName ?? ProcessInfo.processInfo.hostName, interfaces: iface, publicIP: address, device: device
        )
    }
}
