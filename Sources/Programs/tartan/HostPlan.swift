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
        if case .vxlan(let ipv4, let ipv6)? = own?.announcement.backend { mac = ipv4?.mac ?? ipv6?.mac.sibling }
        let ipv4 = Family<IPv4Address>(driver: driver, underlay: underlay, lease: own, plan: self) {
            try await driver.look(atDevice: $0)
        }
        lines += try await ipv4.lines(table, config, &mac)
        let ipv6 = Family<IPv6Address>(driver: driver, underlay: underlay, lease: own, plan: self) {
            try await driver.look(atIPv6Device: $0)
        }
        return try await lines + ipv6.lines(table, config, &mac)
    }

    /// The part of one family, where network and underlay have it.
    private struct Family<Address: DataplaneAddress> {
        let driver: LinuxDataplaneDriver
        let underlay: Underlay
        let lease: Lease?
        let plan: HostPlan
        let look: (String) async throws -> PresentDevice<Address>?

        /// - Parameter mac: the node's, which the first of the families finds.
        func lines(_ table: LeaseTable, _ config: NetworkConfig, _ mac: inout MACAddress?) async throws -> [String] {
            guard let family = Address.family(of: config), let publicIP = Address.publicIP(of: underlay) else {
                return []
            }
            var lines: [String] = []
            var name = ""
            if case .vxlan(let vxlan) = config.backend, let own = Address.address(of: underlay) {
                name = Address.deviceName(vni: vxlan.vni, chosen: plan.device)
                let present = try await look(name)
                // What one makes of the other is its own inverse.
                mac = mac ?? present.map { Address.mac($0.device.mac) }
                let wanted = VXLANDevice<Address>(
                    name: name, config: vxlan, mac: mac.map(Address.mac) ?? MACAddress(bits: 0), underlay: underlay,
                    local: own, address: lease.flatMap { Address.subnet(of: $0.key) }.map { Prefix(host: $0.address) })
                lines +=
                    wanted.commands(from: present?.device, isUp: present?.isUp ?? false, underlay: underlay.name)
            }
            let local = LocalNode(
                node: NodeID(plan.nodeName), publicIP: publicIP, mac: mac.map(Address.mac), key: lease?.key,
                backend: config.backend, usesNextHops: try await driver.supportsNextHops(),
                addresses: try await Address.localAddresses(of: driver), networks: Address.networks(of: underlay),
                family: family)
            var peers = PeerTable(local: local)
            peers.tracker.seeAll(try await Address.seen(by: driver))
            var faults: PeerFaults<Address> = [:]
            for lease in table.leases { peers.set(lease, for: lease.key, &faults) }
            for (key, fault) in faults.sorted(by: { $0.key < $1.key }) {
                if let fault, fault.isWorthReporting { lines.append("# \(key) would not be programmed: \(fault)") }
            }
            let names = DeviceNames(vxlan: name, underlay: underlay.name)
            return lines + peers.tracker.plan(removing: true).flatMap { $0.commands(names) }
        }
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
