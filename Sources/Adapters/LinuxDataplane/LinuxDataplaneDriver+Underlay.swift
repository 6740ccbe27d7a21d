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
        guard let address = choice.address ?? preferred ?? addresses.first else {
            throw .misconfigured(
                "\(choice.reason) is interface '\(name)', which has no IPv4 address; give it one or name another "
                    + "with --iface")
        }
        let underlay = Underlay(
            name: name, index: choice.index, mtu: Int(link.mtu ?? 1500), address: address,
            ipv6Address: selection.publicIPv6 ?? host.ipv6Address(of: choice.index), publicIP: selection.publicIP,
            networks: host.networks(of: choice.index))
        drift.follow(underlay, isUp: link.carriesPackets)
        return underlay
    }

    package func localAddresses() async throws(DataplaneError) -> Set<IPv4Address> {
        let own = devices.vxlan
        return try await translating { () async throws(NetlinkError) in
            let all = try await self.socket.addresses()
            return Set(
                all.compactMap { message in
                    guard case .v4(let address)? = message.address, message.index != own, !address.isLoopback else {
                        return nil
                    }
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
                var source: IPv4Address?
                if case .v4(let address)? = route.preferredSource { source = address }
                return HostInterfaces.Choice(index: index, address: source, reason: "the way to \(address)")
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
        let routes = try await translating { () async throws(NetlinkError) in try await self.socket.routes() }
        let best = routes.filter { $0.prefixLength == 0 && $0.kind == .unicast && $0.device != nil }
            .min { ($0.priority ?? 0) < ($1.priority ?? 0) }
        guard let best, let index = best.device else {
            throw .misconfigured(
                "no default route says which interface leads to the other nodes; name it with --iface")
        }
        var source: IPv4Address?
        if case .v4(let address)? = best.preferredSource { source = address }
        return HostInterfaces.Choice(index: index, address: source, reason: "the default route's")
    }
}
