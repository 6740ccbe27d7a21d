// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

/// The node's subnet as its file says it now: all that the plugin needs of the daemon, which may be down.
struct NodeSubnet {
    let file: SubnetFile

    init(_ path: String) throws(PluginError) {
        guard let bytes = try Disk.read(path) else {
            throw PluginError(
                .tryAgain, "\(path) is not there: this node has no subnet yet; see that tartand runs, or wait for it")
        }
        do {
            file = try SubnetFile(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw PluginError(
                .badConfiguration, "\(path) can't be used: \(error); let tartand write it anew, or correct subnetFile")
        }
        guard !file.hasIPv4 || Self.holdsPods(file.subnet), file.ipv6Subnet.map(Self.holdsPods) ?? true else {
            throw PluginError(.badConfiguration, "the subnet in \(path) has no room for pods; it must be /30 or larger")
        }
    }

    /// Nobody may get an address of a subnet that is not this node's any more.
    func checkHeld() throws(PluginError) {
        guard file.isLeaseLost else { return }
        throw PluginError(
            .cutOff,
            "this node's lease of \(file.subnets) is lost or was given back, and another node may have it; start tartand, "
                + "or see what it says, and start the pods anew when this node has a subnet again")
    }

    /// At least two addresses beside the first and the last.
    private static func holdsPods<Address>(_ subnet: Prefix<Address>) -> Bool {
        Int(subnet.length) <= Address.Bits.bitWidth - 2
    }

    /// The pools in the order of the results; each family's first address is the gateway.
    var pools: [AddressPool] {
        var pools: [AddressPool] = []
        if file.hasIPv4 { pools.append(.v4(.init(file.subnet))) }
        if let subnet = file.ipv6Subnet { pools.append(.v6(.init(subnet))) }
        return pools
    }

    /// The ways to the cluster's other nodes.
    var networks: [AddressWithLength] {
        var networks: [AddressWithLength] = []
        if file.hasIPv4 {
            networks.append(AddressWithLength(.v4(file.network.address), length: file.network.length))
        }
        if file.ipv6Subnet != nil, let network = file.ipv6Network {
            networks.append(AddressWithLength(.v6(network.address), length: network.length))
        }
        return networks
    }

    /// Whether an address is one that a node's bridge may have had before the subnet changed.
    func isInCluster(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): file.hasIPv4 && file.network.contains(address)
        case .v6(let address): file.ipv6Network?.contains(address) ?? false
        }
    }
}
