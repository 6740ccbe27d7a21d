// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// A family of addresses, where leases and the kernel treat the two differently.
///
/// Each family has a device, tables and peers of its own; everything else is written once for both.
package protocol DataplaneAddress: BinaryAddress {
    static var familyName: String { get }
    /// flannel's member of a lease's value with the VTEP of this family.
    static var backendDataName: String { get }
    /// What VXLAN adds to a packet whose outer header is of this family, in bytes.
    static var overhead: Int { get }
    /// Whether the kernel refuses a next hop on the VXLAN device whose gateway is routed by another one (net/ipv6:
    /// `ip6_route_check_nh_onlink`).
    static var refusesRoutedGateways: Bool { get }

    static func subnet(of key: SubnetKey) -> Prefix<Self>?
    static func publicIP(of announcement: LeaseAnnouncement) -> Self?
    static func family(of config: NetworkConfig) -> NetworkConfig.Family<Self>?
    static func address(of underlay: Underlay) -> Self?
    static func publicIP(of underlay: Underlay) -> Self?
    static func networks(of underlay: Underlay) -> [Prefix<Self>]
    static func vtep(ipv4: VXLANAnnouncement?, ipv6: VXLANAnnouncement?) -> VXLANAnnouncement?
    /// The VTEP's of this family, of a node that keeps that MAC address.
    static func mac(_ mac: MACAddress) -> MACAddress
    static func deviceName(vni: UInt32, chosen: String?) -> String
    /// The number of a peer's next-hop object, the same after every restart; `nil`: none is sure to be its own.
    static func nextHopID(
        gateway: Self, subnet: Prefix<Self>, in family: NetworkConfig.Family<Self>?
    ) -> NextHopID?

    /// Whether one host can have it and be sent to.
    var isOfOneHost: Bool { get }

    // The driver's doors for this family.
    static func seen(by driver: some DataplaneDriver) async throws(DataplaneError) -> DataplaneState<Self>
    static func apply(_ operations: [Operation<Self>], by driver: some DataplaneDriver) async -> [OperationFailure]
    static func prepare(_ device: VXLANDevice<Self>, by driver: some DataplaneDriver) async throws(DataplaneError)
    static func localAddresses(of driver: some DataplaneDriver) async throws(DataplaneError) -> Set<Self>
}

extension IPv4Address: DataplaneAddress {
    package static var familyName: String { "IPv4" }
    package static var backendDataName: String { "backend data" }
    /// IP 20, UDP 8, VXLAN 8, inner Ethernet 14.
    package static var overhead: Int { 50 }
    package static var refusesRoutedGateways: Bool { false }

    package static func subnet(of key: SubnetKey) -> IPv4Prefix? { key.ipv4Subnet }
    package static func publicIP(of announcement: LeaseAnnouncement) -> Self? { announcement.publicIP }
    package static func family(of config: NetworkConfig) -> NetworkConfig.Family<Self>? {
        config.hasIPv4 ? config.ipv4 : nil
    }
    package static func address(of underlay: Underlay) -> Self? { underlay.address == .any ? nil : underlay.address }
    package static func publicIP(of underlay: Underlay) -> Self? {
        underlay.publicIP == .any ? nil : underlay.publicIP
    }
    package static func networks(of underlay: Underlay) -> [IPv4Prefix] { underlay.networks }
    package static func vtep(ipv4: VXLANAnnouncement?, ipv6: VXLANAnnouncement?) -> VXLANAnnouncement? { ipv4 }
    package static func mac(_ mac: MACAddress) -> MACAddress { mac }

    package static func deviceName(vni: UInt32, chosen: String?) -> String { chosen ?? "tartan.\(vni)" }

    /// The gateway itself.
    package static func nextHopID(
        gateway: Self, subnet: IPv4Prefix, in family: NetworkConfig.Family<Self>?
    ) -> NextHopID? { NextHopID(gateway.bits) }

    package var isOfOneHost: Bool { !isMulticast && !isLoopback && bits != 0 && bits != .max }

    package static func seen(
        by driver: some DataplaneDriver
    ) async throws(DataplaneError) -> DataplaneState<Self> { try await driver.seen() }

    package static func apply(
        _ operations: [Operation<Self>], by driver: some DataplaneDriver
    ) async -> [OperationFailure] { await driver.apply(operations) }

    package static func prepare(
        _ device: VXLANDevice<Self>, by driver: some DataplaneDriver
    ) async throws(DataplaneError) { try await driver.prepare(device) }

    package static func localAddresses(
        of driver: some DataplaneDriver
    ) async throws(DataplaneError) -> Set<Self> { try await driver.localAddresses() }
}

extension IPv6Address: DataplaneAddress {
    package static var familyName: String { "IPv6" }
    package static var backendDataName: String { "BackendV6Data" }
    /// The outer header has 40 bytes instead of 20.
    package static var overhead: Int { 70 }
    package static var refusesRoutedGateways: Bool { true }

    package static func subnet(of key: SubnetKey) -> IPv6Prefix? { key.ipv6Subnet }
    package static func publicIP(of announcement: LeaseAnnouncement) -> Self? { announcement.publicIPv6 }
    package static func family(of config: NetworkConfig) -> NetworkConfig.Family<Self>? { config.ipv6 }
    package static func address(of underlay: Underlay) -> Self? { underlay.ipv6Address }
    package static func publicIP(of underlay: Underlay) -> Self? { underlay.publicIPv6 ?? underlay.ipv6Address }
    package static func networks(of underlay: Underlay) -> [IPv6Prefix] { underlay.ipv6Networks }
    package static func vtep(ipv4: VXLANAnnouncement?, ipv6: VXLANAnnouncement?) -> VXLANAnnouncement? { ipv6 }
    package static func mac(_ mac: MACAddress) -> MACAddress { mac.sibling }

    /// `flannel-v6.1` is flannel's. A name that was chosen is kept in sight, within the kernel's 15 bytes.
    package static func deviceName(vni: UInt32, chosen: String?) -> String {
        guard let chosen else { return "tartan-v6.\(vni)" }
        let parts = chosen.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let tail = parts.count == 2 ? "-v6.\(parts[1])" : "-v6"
        guard tail.utf8.count < 15 else { return "\(chosen.prefix(12))-v6" }
        return String(parts[0].prefix(15 - tail.utf8.count)) + tail
    }

    /// The subnet's place in the network, in the range of IPv4's multicast addresses, where no IPv4 gateway is. A
    /// subnet that is not one of the network's, or of one with more than 2^28, gets a route with its gateway.
    package static func nextHopID(
        gateway: Self, subnet: IPv6Prefix, in family: NetworkConfig.Family<Self>?
    ) -> NextHopID? {
        guard let family, Int(subnet.length) == family.subnetLength, family.network.contains(subnet),
            Int(subnet.length) - Int(family.network.length) <= 28
        else { return nil }
        let place = (subnet.address.bits - family.network.address.bits) >> UInt128(128 - Int(subnet.length))
        return NextHopID(NextHopID.firstIPv6 + UInt32(truncatingIfNeeded: place))
    }

    package var isOfOneHost: Bool { !isMulticast && !isLoopback && !isLinkLocal && bits != 0 }

    package static func seen(
        by driver: some DataplaneDriver
    ) async throws(DataplaneError) -> DataplaneState<Self> { try await driver.seenIPv6() }

    package static func apply(
        _ operations: [Operation<Self>], by driver: some DataplaneDriver
    ) async -> [OperationFailure] { await driver.apply(operations) }

    package static func prepare(
        _ device: VXLANDevice<Self>, by driver: some DataplaneDriver
    ) async throws(DataplaneError) { try await driver.prepare(device) }

    package static func localAddresses(
        of driver: some DataplaneDriver
    ) async throws(DataplaneError) -> Set<Self> { try await driver.localIPv6Addresses() }
}
