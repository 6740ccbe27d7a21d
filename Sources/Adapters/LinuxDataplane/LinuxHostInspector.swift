// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import IPAddressing
import NFTables
package import Netlink

/// The host as /proc, rtnetlink and nftables tell of it.
package final class LinuxHostInspector: HostInspector {
    private let host: HostNamespace
    private let socket: RouteSocket
    private let files: HostFiles

    /// For the network namespace of the process.
    package convenience init() throws(DataplaneError) { try self.init(HostNamespace(nil), HostFiles()) }

    /// Settings of the machine, which have no namespace, are looked for below the root.
    package convenience init(in namespace: consuming NetworkNamespace, root: String = "") throws(DataplaneError) {
        try self.init(HostNamespace(namespace), HostFiles(root: root))
    }

    private init(_ host: HostNamespace, _ files: HostFiles) throws(DataplaneError) {
        self.host = host
        self.files = files
        do {
            socket = try host.socket()
        } catch {
            throw DataplaneError(error)
        }
    }

    package func facts() async throws(DataplaneError) -> HostFacts {
        let files = files
        var facts = try await host.run { HostFacts(files) }
        try await translating { () async throws(NetlinkError) in
            let links = try await socket.links()
            let names = Dictionary(links.map { ($0.index, $0.name ?? "") }) { first, _ in first }
            facts.links = links.compactMap(HostFacts.Link.init)
            facts.ipv4Routes = try await socket.routes().compactMap { HostRoute($0, names) }
            let ipv6 = try await socket.routes(.filter(ipv6: true))
            facts.ipv6Routes = ipv6.compactMap { HostRoute($0, names) }
            facts.advertisedDefaults = Set(
                ipv6.filter { $0.prefixLength == 0 && $0.origin == .routerAdvertisement }
                    .compactMap { $0.device.flatMap { names[$0] } })
        }
        if facts.links.contains(where: { $0.vxlan != nil }) { facts.supportsVXLAN = true }
        // A kernel without nftables has no chains, and without the privilege nobody can tell.
        let tables = try? await host.nftables { context throws(NFTablesError) in try context.chains() }
        facts.droppingChains = (tables ?? []).flatMap(HostFacts.Chain.dropping)
        return facts
    }

    package func enableForwarding(ipv6: Bool, underlay: String) async throws(DataplaneError) {
        let files = files
        let failure = try await host.run { () -> HostFileError? in
            do throws(HostFileError) {
                try files.set("/proc/sys/net/ipv4/ip_forward", to: 1)
                guard ipv6 else { return nil }
                let announcements = "/proc/sys/net/ipv6/conf/\(underlay)/accept_ra"
                if files.number(announcements) == 1 { try files.set(announcements, to: 2) }
                try files.set("/proc/sys/net/ipv6/conf/all/forwarding", to: 1)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        throw DataplaneError(remedy: .notPermitted, description: "forwarding can't be turned on: \(failure)")
    }
}

extension HostFiles {
    fileprivate func set(_ path: String, to value: Int) throws(HostFileError) {
        if number(path) != value { try write("\(value)", to: path) }
    }
}

extension HostFacts.Link {
    fileprivate init?(_ message: LinkMessage) {
        guard let name = message.name else { return nil }
        var vxlan: HostFacts.VXLAN?
        if case .vxlan(let settings)? = message.kind {
            vxlan = HostFacts.VXLAN(
                vni: settings.vni, port: settings.port, gbp: settings.gbp, isExternal: settings.isExternal)
        }
        self.init(name: name, isUp: message.isUp ?? false, mtu: Int(message.mtu ?? 0), vxlan: vxlan)
    }
}

extension HostRoute {
    /// Ours are left out.
    fileprivate init?(_ message: RouteMessage, _ names: [UInt32: String]) {
        guard message.origin != LinuxDataplaneDriver.origin, let address = Address(message.destination),
            let destination = Prefix(address, length: Int(message.prefixLength))
        else { return nil }
        self.init(
            destination: destination, gateway: Address(message.gateway),
            device: message.device.flatMap { names[$0] }, isKernels: message.origin == .kernel)
    }
}

extension BinaryAddress {
    /// The address where it is there and of this family.
    fileprivate init?(_ address: IPAddress?) {
        switch address {
        case .v4(let address)?:
            guard let address = address as? Self else { return nil }
            self = address
        case .v6(let address)?:
            guard let address = address as? Self else { return nil }
            self = address
        case nil: return nil
        }
    }
}

extension HostFacts.Chain {
    fileprivate static func dropping(in table: NFTable) -> [Self] {
        guard [.ip, .ip6, .inet].contains(table.id.family) else { return [] }
        return table.chains.filter { $0.base?.hook == "forward" && $0.base?.policy == .drop }.map {
            Self(family: table.id.family.rawValue, table: table.id.name, name: $0.name)
        }
    }
}
