// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What the host is like outside of what the daemon programs, as of one moment; what could not be read is `nil` or
/// empty, and nothing is found wrong with it.
package struct HostFacts: Hashable, Sendable {
    /// `uname -r`.
    package var kernel = ""
    /// Whether the kernel has VXLAN devices, built in or as a module that it can load.
    package var supportsVXLAN: Bool?
    /// `net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`
    package var forwardsIPv4: Bool?
    package var forwardsIPv6: Bool?
    /// `net.ipv6.conf.NAME.accept_ra`, by interface: 0 never, 1 unless it forwards, 2 always.
    package var routerAdvertisements: [String: Int] = [:]
    /// `net.ipv6.conf.NAME.disable_ipv6`, by interface, `all` and `default`; empty: the kernel has no IPv6.
    package var ipv6Disabled: [String: Bool] = [:]
    /// `net.ipv4.conf.NAME.rp_filter`, by interface and `all`: 0 off, 1 strict, 2 loose.
    package var reversePathFilters: [String: Int] = [:]
    /// Whether packets between the ports of a bridge pass iptables (`bridge-nf-call-iptables`, `-ip6tables`); `nil`:
    /// br_netfilter is not loaded.
    package var bridgesThroughIPTables: Bool?
    package var bridgesThroughIP6Tables: Bool?
    /// Chains that drop what is forwarded, unless one of their rules accepts it.
    package var droppingChains: [Chain] = []
    /// The old iptables' filter tables are in use, whose policy nftables does not tell.
    package var hasLegacyIPTables = false
    package var hasLegacyIP6Tables = false
    /// `nil`: systemd-networkd does not run.
    package var networkd: Networkd?
    /// Local ports of every UDP socket, those of VXLAN devices included.
    package var udpPorts: Set<UInt16> = []
    package var links: [Link] = []
    /// Router advertisements gave a default route over these interfaces (RTPROT_RA).
    package var advertisedDefaults: Set<String> = []
    /// Of the main table, without ours.
    package var ipv4Routes: [HostRoute<IPv4Address>] = []
    package var ipv6Routes: [HostRoute<IPv6Address>] = []

    package init() {}

    /// A base chain of nftables at the hook `forward`.
    package struct Chain: Hashable, Sendable {
        /// `ip`, `ip6` or `inet`.
        package let family: String
        package let table: String
        package let name: String

        package init(family: String, table: String, name: String) {
            self.family = family
            self.table = table
            self.name = name
        }

        /// Made by iptables-nft or ip6tables-nft, which should also be used to change it.
        package var isIPTables: Bool { ["ip", "ip6"].contains(family) && table == "filter" && name == "FORWARD" }
    }

    /// networkd.conf(5): whether routes and next hops that networkd did not make are removed by it.
    package struct Networkd: Hashable, Sendable {
        package var managesForeignRoutes: Bool
        package var managesForeignNextHops: Bool

        package init(managesForeignRoutes: Bool = true, managesForeignNextHops: Bool = true) {
            self.managesForeignRoutes = managesForeignRoutes
            self.managesForeignNextHops = managesForeignNextHops
        }
    }

    package struct Link: Hashable, Sendable {
        package let name: String
        package let isUp: Bool
        /// In bytes.
        package let mtu: Int
        /// `nil`: it is something else.
        package let vxlan: VXLAN?

        package init(name: String, isUp: Bool = true, mtu: Int = 1500, vxlan: VXLAN? = nil) {
            self.name = name
            self.isUp = isUp
            self.mtu = mtu
            self.vxlan = vxlan
        }
    }

    package struct VXLAN: Hashable, Sendable {
        package let vni: UInt32
        package let port: UInt16
        package let gbp: Bool
        /// It takes every VNI, as devices of Open vSwitch and Cilium do.
        package let isExternal: Bool

        package init(vni: UInt32, port: UInt16, gbp: Bool = false, isExternal: Bool = false) {
            self.vni = vni
            self.port = port
            self.gbp = gbp
            self.isExternal = isExternal
        }
    }
}

/// A route of somebody else's.
package struct HostRoute<Address: BinaryAddress>: Hashable, Sendable, CustomStringConvertible {
    package let destination: Prefix<Address>
    package let gateway: Address?
    /// `nil`: it goes to several, or nowhere.
    package let device: String?
    /// The kernel made it, for an interface's address.
    package let isKernels: Bool

    package init(
        destination: Prefix<Address>, gateway: Address? = nil, device: String? = nil, isKernels: Bool = false
    ) {
        self.destination = destination
        self.gateway = gateway
        self.device = device
        self.isKernels = isKernels
    }

    /// As `ip route` writes it.
    package var description: String {
        var text = "\(destination)"
        if let gateway { text += " via \(gateway)" }
        if let device { text += " dev \(device)" }
        return text
    }
}
