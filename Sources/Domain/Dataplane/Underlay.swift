// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The interface whose network carries the overlay's packets.
package struct Underlay: Hashable, Sendable {
    package var name: String
    /// The kernel's interface index.
    package var index: UInt32
    /// In bytes, without the link's own header.
    package var mtu: Int
    /// The interface's own, from which packets leave; 0.0.0.0 where it has none, which will do for IPv6 alone.
    package var address: IPv4Address
    /// A global one; `nil` where it has none.
    package var ipv6Address: IPv6Address?
    /// What peers send to: another address only behind a translation of addresses (`--public-ip`, `--public-ipv6`).
    package var publicIP: IPv4Address
    package var publicIPv6: IPv6Address?
    /// The networks that it is directly connected to, in order: every host there is one hop away.
    package var networks: [IPv4Prefix]
    package var ipv6Networks: [IPv6Prefix]

    package init(
        name: String, index: UInt32, mtu: Int, address: IPv4Address, ipv6Address: IPv6Address? = nil,
        publicIP: IPv4Address? = nil, publicIPv6: IPv6Address? = nil, networks: [IPv4Prefix] = [],
        ipv6Networks: [IPv6Prefix] = []
    ) {
        self.name = name
        self.index = index
        self.mtu = mtu
        self.address = address
        self.ipv6Address = ipv6Address
        self.publicIP = publicIP ?? address
        self.publicIPv6 = publicIPv6 ?? ipv6Address
        self.networks = networks
        self.ipv6Networks = ipv6Networks
    }
}

/// How the underlay is chosen: the first rule that finds an interface, in this order; without any rule the interface
/// of the default route.
package struct UnderlaySelection: Hashable, Sendable {
    /// Names or addresses of interfaces.
    package var interfaces: [String]
    /// Regular expressions that a name or an address matches.
    package var patterns: [String]
    /// The interface by which the kernel would reach this address.
    package var canReach: IPAddress?
    /// Which of the interface's addresses is taken, where it has that one and no rule names another.
    package var preferredAddress: IPv4Address?
    package var preferredIPv6Address: IPv6Address?
    /// The address to announce instead of the interface's own.
    package var publicIP: IPv4Address?
    package var publicIPv6: IPv6Address?

    package init(
        interfaces: [String] = [], patterns: [String] = [], canReach: IPAddress? = nil, publicIP: IPv4Address? = nil,
        publicIPv6: IPv6Address? = nil
    ) {
        self.interfaces = interfaces
        self.patterns = patterns
        self.canReach = canReach
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
    }

    /// Whether somebody said how to choose.
    package var hasRule: Bool { !interfaces.isEmpty || !patterns.isEmpty || canReach != nil }

    /// The same interface by its name, and the same address of it, whatever becomes of the default route.
    package func pinned(to underlay: Underlay) -> Self {
        // One that only leases may have no interface.
        guard !underlay.name.isEmpty else { return self }
        var selection = Self(interfaces: [underlay.name], publicIP: publicIP, publicIPv6: publicIPv6)
        selection.preferredAddress = underlay.address == .any ? nil : underlay.address
        selection.preferredIPv6Address = underlay.ipv6Address
        return selection
    }
}
