// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Netlink

extension LinuxDataplaneDriver {
    package func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay {
        let host = try await translating { () async throws(NetlinkError) in
            HostInterfaces(links: try await self.socket.links(), addresses: try await self.socket.addresses())
        }
        let choice = try await choose(selection, from: host)
        guard let link = host.links[choice.index] else {
            throw DataplaneError(remedy: .retry, description: "interface \(choice.index) went away")
        }
        let name = link.name ?? "\(choice.index)"
        let addresses = host.addresses(of: choice.index)
        let preferred = addresses.first { $0 == selection.preferredAddress }
        let address = choice.address ?? preferred ?? addresses.first
        let ipv6 = host.ipv6Addresses(of: choice.index)
        let ipv6Address =
            choice.ipv6Address ?? ipv6.first { $0 == selection.publicIPv6 }
            ?? ipv6.first { $0 == selection.preferredIPv6Address } ?? ipv6.first
        guard address != nil || ipv6Address != nil else {
            throw .misconfigured(
                "\(choice.reason) is interface '\(name)', which has neither an IPv4 nor a global IPv6 address; give it "
                    + "one or name another with --iface")
        }
        let underlay = Underlay(
            name: name, index: choice.index, mtu: Int(link.mtu ?? 1500), address: address ?? .any,
            ipv6Address: ipv6Address, publicIP: selection.publicIP, publicIPv6: selection.publicIPv6,
            networks: host.networks(of: choice.index), ipv6Networks: host.ipv6Networks(of: choice.index))
        drift.follow(underlay, isUp: link.carriesPackets)
        return underlay
    }

    package func localAddresses() async throws(DataplaneError) -> Set<IPv4Address> {
        let own = drift.deviceIndices
        return try await translating { () async throws(NetlinkError) in
            let all = try await self.socket.addresses()
            return Set(
                all.compactMap { message in
                    guard case .v4(let address)? = message.address, !own.contains(message.index), !address.isLoopback
                    else {
                        return nil
                    }
                    return address
                })
        }
    }

    package func localIPv6Addresses() async throws(DataplaneError) -> Set<IPv6Address> {
        let own = drift.deviceIndices
        return try await translating { () async throws(NetlinkError) in
            let all = try await self.socket.addresses()
            return Set(
                all.compactMap { message in
                    guard case .v6(let address)? = message.address, !own.contains(message.index), !address.isLoopback,
                        !address.isLinkLocal
                    else { return nil }
                    return address
                })
        }
    }

    private func choose(
        _ selection: UnderlaySelection, from host: HostInterfaces
    ) async throws(DataplaneError) -> HostInterfaces.Choice {
        if !selection.interfaces.isEmpty || !selection.patterns.isEmpty {
            if let choice = try host.choice(selection) { return choice }
            throw .misconfigured(host.complaint(about: selection))
        }
        if let address = selection.canReach {
            do {
                let route = try await socket.route(to: address)
                guard let index = route.device, host.links[index]?.isLoopback == false else {
                    throw DataplaneError.misconfigured(
                        "--iface-can-reach: \(address) is this host's own; name an address beyond it")
                }
                var choice = HostInterfaces.Choice(index: index, reason: "the way to \(address)")
                choice.take(route.preferredSource)
                return choice
            } catch let error as NetlinkError {
                throw .misconfigured("--iface-can-reach: \(address) can't be reached: \(error)")
            } catch let error as DataplaneError {
                throw error
            } catch {
                throw DataplaneError(remedy: .retry, description: "\(error)")
            }
        }
        return try await defaultRoute()
    }

    /// The interface of the default route that the kernel prefers.
    private func defaultRoute() async throws(DataplaneError) -> HostInterfaces.Choice {
        // Of IPv6 only where there is none of IPv4.
        var best: RouteMessage?
        for ipv6 in [false, true] where best == nil {
            let routes = try await translating { () async throws(NetlinkError) in
                try await self.socket.routes(.filter(ipv6: ipv6))
            }
            best = routes.filter { $0.prefixLength == 0 && $0.kind == .unicast && $0.device != nil }
                .min { ($0.priority ?? 0) < ($1.priority ?? 0) }
        }
        guard let best, let index = best.device else {
            throw .misconfigured(
                "no default route says which interface leads to the other nodes; name it with --iface")
        }
        var choice = HostInterfaces.Choice(index: index, reason: "the default route's")
        choice.take(best.preferredSource)
        return choice
    }
}
